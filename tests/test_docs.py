"""What the documentation shows is true: its code runs, and prints what the pages say.

`python tests/test_docs.py --update [page ...]` writes what is really printed into the pages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from code_blocks import read_blocks, run_page, says_the_same, update_page

DOCS = Path(__file__).parents[1] / "docs"
QUICK = (
    "how-to/arrays.md",
    "how-to/evaluating.md",
    "how-to/export.md",
    "how-to/floor.md",
    "how-to/health.md",
    "how-to/matching.md",
    "how-to/pretrained.md",
    "how-to/trust.md",
    "how-to/unsynchronized.md",
    "how-to/writing-a-detector.md",
    "how-to/writing-an-encoder.md",
)
SLOW = ("start.md", "how-to/learned-poses.md", "../README.md")


def check(page: str, folder: Path) -> None:
    for output in run_page(DOCS / page, folder):
        line = output.shown.line
        assert output.as_shown, (
            f"{page}, line {line}, shows\n{output.shown.text}\nbut this is printed:\n{output.printed}"
        )


@pytest.mark.parametrize("page", QUICK)
def test_page(page: str, tmp_path: Path) -> None:
    check(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW)
def test_slow_page(page: str, tmp_path: Path) -> None:
    check(page, tmp_path)


def test_blocks_are_run_and_compared(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```python title="hello.py"\nprint("hello,", 1 / 3)\n```\n'
        "```bash\npython hello.py\n```\n```text\nhello, 0.33\n```\n"
        "```python\nthree = 3\n```\n```python\nprint(three, 2.5)\n```\n```text\n3 ...\n```\n"
        "```bash\nexit 1; pip install nothing\n```\n    ```python\n    indented()\n    ```\n",
        encoding="utf-8",
    )
    assert [(output.shown.line, output.as_shown) for output in run_page(page, tmp_path)] == [(8, True), (17, True)]


def test_what_fails_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\nfalse\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="line 2"):
        list(run_page(page, tmp_path))


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("0.95 of 3 pairs", "0.951  of 3 pairs\n", True),
        ("99.5%, 40 instants", "98.9%, 40 instants", True),
        ("| ---- |", "| -- |", True),
        ("in ... s", "in 37 s", True),
        ("-0.5", "0.5", False),
        ("0.95", "0.90", False),
        ("3 of 3", "2 of 3", False),
        ("3 pairs", "3 views", False),
        ("in ... s", "in s", False),
    ],
)
def test_says_the_same(shown: str, printed: str, same: bool) -> None:
    assert says_the_same(shown, printed) is same


def test_update_writes_what_differs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nprint(1)\n```\n```text\n```\nwords\n```python\nprint(2)\n```\n```text\n...\n```\n", encoding="utf-8"
    )
    update_page(page, list(run_page(page, tmp_path)))
    assert [block.text for block in read_blocks(page.read_text(encoding="utf-8"))][1::2] == ["1\n", "...\n"]


def main(pages: list[str]) -> None:
    for page in pages or (*QUICK, *SLOW):
        with TemporaryDirectory() as folder:
            update_page(DOCS / page, list(run_page(DOCS / page, Path(folder))))


if __name__ == "__main__":
    main(sys.argv[2:] if "--update" in sys.argv[1:2] else sys.exit(__doc__))
