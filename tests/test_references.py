"""What pages, docstrings and comments name is there: modules and what they hold, files, and targets of links."""

from __future__ import annotations

import importlib
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "selfmva"
TEXTS = ("*.md", "*.toml", "noxfile.py", "docs/**/*.md", "docs/**/*.ipynb", "docs/*.py")
CODE = ("src/**/*.py", "src/**/*.template", "examples/*.py", "benchmarks/*.py")
NAME = re.compile(r"(?<![\w./@<-])selfmva(?:\.\w+)+")
PATH = re.compile(r"(?<![\w./$*{}-])(?:[\w.-]+/)+[\w-]+\.(?:py|md)\b")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
HISTORY = ("CHANGELOG.md", "docs/changelog.md")  # these also tell what was called otherwise
# Names that an example makes up, and the files of the package that `selfmva datasets new` writes.
INVENTED = re.compile(r"selfmva\.(nothing|toys)|.*selfmva[_-]parking[_-]garage.*")


def sources(*patterns: str) -> list[str]:
    found = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(found.difference(HISTORY))


def read(source: str) -> str:
    text = (ROOT / source).read_text(encoding="utf-8")
    if not source.endswith(".ipynb"):
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


@cache
def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or is reached from one by way of attributes."""
    module, attributes = name, []
    while True:
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            attributes.insert(0, last)
            continue
        break
    for attribute in attributes:
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def is_a_file(path: str, source: str) -> bool:
    return any((folder / path).is_file() for folder in (ROOT, PACKAGE, (ROOT / source).parent))


@pytest.mark.parametrize("source", sources(*TEXTS, *CODE))
def test_names_and_files_are_there(source: str) -> None:
    text = read(source)
    missing = {name for name in NAME.findall(text) if not is_there(name)}
    missing |= {path for path in PATH.findall(text) if not is_a_file(path, source)}
    assert {name for name in missing if not INVENTED.fullmatch(name)} == set()


@pytest.mark.parametrize("source", sources("*.md"))
def test_links_of_pages_outside_the_site_lead_somewhere(source: str) -> None:
    assert [link for link in LINK.findall(read(source)) if not (ROOT / source).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("selfmva.io", True),
        ("selfmva.core.types.View.width", True),
        ("selfmva.association.associator.Associator.fit", True),
        ("selfmva.types.View", False),
        ("selfmva.io.read_bokses", False),
    ],
)
def test_what_is_missing_is_noticed(name: str, there: bool) -> None:
    assert is_there(name) is there
    assert NAME.findall(f"see `{name}`, and {name}.") == [name, name]


def test_paths_are_found() -> None:
    text = "see `association/cues/base.py` or [there](docs/start.md#keep), not /usr/lib/some.py nor FOLDER/*.py"
    assert PATH.findall(text) == ["association/cues/base.py", "docs/start.md"]
