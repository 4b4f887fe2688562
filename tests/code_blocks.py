"""Code blocks of a Markdown page: run them as its reader would, and compare what they print with what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FENCE = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
TOLERANCE = 0.02  # of a number: another processor rounds otherwise, and a training makes that visible


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: What stands behind the fence.
        title: Name of the file that it is to be saved as; None where it has none.
        text: What is in it.
        place: Where that begins and ends in the page.
        line: Number of its first line, from 1.
    """

    language: str
    title: str | None
    text: str
    place: tuple[int, int]
    line: int


@dataclass(frozen=True)
class Output:
    """What a block printed, and the block in which the page shows it."""

    printed: str
    shown: Block

    @property
    def as_shown(self) -> bool:
        """True where both say the same."""
        return says_the_same(self.shown.text, self.printed)


def read_blocks(page: str) -> list[Block]:
    """The fenced blocks of a page that begin at the left margin."""
    return [
        Block(
            found["language"],
            found["title"],
            found["text"],
            found.span("text"),
            page.count("\n", 0, found.start("text")) + 1,
        )
        for found in FENCE.finditer(page)
    ]


def run_page(path: Path, folder: Path) -> Iterator[Output]:
    """Run the blocks of a page in their order, in a folder, and give what those printed whose output is shown.

    A block of Python with a title is saved, any other shares its names with those before it. Blocks of the shell are
    run as they are, those that install excepted. A block of text that follows shows what was printed.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = read_blocks(path.read_text(encoding="utf-8"))
    for block, after in pairwise([*blocks, None]):
        if block is None or block.language not in ("python", "bash") or "pip install" in block.text:
            continue
        if block.title is not None:
            (folder / block.title).write_text(block.text, encoding="utf-8")
            continue
        printed = _run_shell(block, folder) if block.language == "bash" else _run_python(block, folder, names, path)
        if after is not None and after.language == "text":
            yield Output(printed, after)


def says_the_same(shown: str, printed: str, tolerance: float = TOLERANCE) -> bool:
    """Whether two texts have the same words, and numbers within a tolerance; a word `...` stands for any other.

    Example:
        >>> says_the_same("99.5% in ... s", "99.4%  in 31 s"), says_the_same("3 of 3", "2 of 3")
        (True, False)
    """
    words, others = (re.sub("-{2,}", "--", text).split() for text in (shown, printed))
    return len(words) == len(others) and all(
        _alike(word, other, tolerance) for word, other in zip(words, others, strict=True)
    )


def update_page(path: Path, outputs: list[Output]) -> None:
    """Write into a page what its blocks print here, to the last digit, where that differs."""
    page = path.read_text(encoding="utf-8")
    for output in reversed(outputs):
        if not says_the_same(output.shown.text, output.printed, tolerance=0):
            start, end = output.shown.place
            page = page[:start] + output.printed.rstrip("\n") + "\n" + page[end:]
    path.write_text(page, encoding="utf-8")


def _run_shell(block: Block, folder: Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["bash", "-euo", "pipefail", "-c", block.text]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"line {block.line}: {done.stderr}"
    return done.stdout


def _run_python(block: Block, folder: Path, names: dict[str, Any], path: Path) -> str:
    code = compile("\n" * (block.line - 1) + block.text, str(path), "exec")  # a traceback names the line of the page
    with chdir(folder), redirect_stdout(StringIO()) as printed:
        exec(code, names)  # noqa: S102  # our own page
    return printed.getvalue()


def _alike(word: str, other: str, tolerance: float) -> bool:
    if word == "...":
        return True
    parts, others = NUMBER.split(word), NUMBER.split(other)
    return parts[::2] == others[::2] and all(
        isclose(float(a), float(b), rel_tol=tolerance, abs_tol=tolerance)
        for a, b in zip(parts[1::2], others[1::2], strict=True)
    )
