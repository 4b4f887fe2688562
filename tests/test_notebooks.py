"""The notebooks of the documentation are whole: run from top to bottom, small, and free of the machine they ran on.

`nox -s notebooks` runs them anew.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
LARGEST = 300_000  # bytes
LINK = re.compile(r"\]\(([^)#]+)")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def cells(notebook: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_there_are_four() -> None:
    assert len(NOTEBOOKS) == 4


def test_run_once_from_top_to_bottom(notebook: dict[str, Any]) -> None:
    code = cells(notebook, "code")
    assert notebook["nbformat"] == 4
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_nothing_failed_or_warned(notebook: dict[str, Any]) -> None:
    outputs = [output for cell in cells(notebook, "code") for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"display_data", "execute_result", "stream"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} <= {"stdout"}


def test_shows_pictures(notebook: dict[str, Any]) -> None:
    outputs = [output for cell in cells(notebook, "code") for output in cell["outputs"]]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2


def test_small_and_without_traces(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    for trace in (str(Path.home()), str(DOCS.parent), "site-packages", "iopub.execute_input"):
        assert trace not in text


def test_links_lead_to_pages(path: Path, notebook: dict[str, Any]) -> None:
    """Links of notebooks are written as the site has them: nothing else checks them."""
    links = [link for cell in cells(notebook, "markdown") for link in LINK.findall("".join(cell["source"]))]
    assert links
    for link in links:
        page = (path.with_suffix("") / link).resolve()  # a page is a folder in the site
        assert any(page.with_suffix(ending).is_file() for ending in (".md", ".ipynb")), link
