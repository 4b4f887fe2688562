"""Read an HTML page as a browser would, and check that it is whole and stands alone."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "img", "link", "br", "hr", "input"}  # elements without an end
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}


class Page(HTMLParser):
    """What a page holds.

    Attributes:
        sections: The ids of its sections, in order.
        texts: Everything that is written.
        headings: What stands in `h2` elements.
        rows: The cells of every row of every table.
        pictures: Every `img`: its alternative text and its pixels.
        charts: What every `svg` tells who cannot see it.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.texts: list[str] = []
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self.pictures: list[tuple[str, np.ndarray[Any, Any]]] = []
        self.charts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert tag not in {"script", "link", "iframe", "object", "embed"}
        assert not any(name.startswith("on") for name in values)
        for name in LOADING & values.keys():
            assert values[name].startswith("data:image/jpeg;base64,"), values[name]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "section":
            self.sections.append(values["id"])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "img":
            assert values["alt"]
            data = base64.b64decode(values["src"].partition(",")[2], validate=True)
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            self.pictures.append((values["alt"], image))
        elif tag == "svg":
            self.charts.append(values["aria-label"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            assert "url(" not in data
            assert "@import" not in data
            return
        self.texts.append(data)
        if "h2" in self._open:
            self.headings.append(data)
        if {"td", "th"} & set(self._open[-1:]):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join(" ".join(self.texts).split())


def read_page(path: Path) -> Page:
    """Read a file and check that it asks for nothing outside it."""
    source = path.read_text(encoding="utf-8")
    assert source.startswith("<!doctype html>")
    assert "http://" not in source
    assert "https://" not in source
    return Page(source)
