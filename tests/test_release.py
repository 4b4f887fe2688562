"""What is said of a release is true of what is released: names, formats, licences, versions."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

import selfmva
from selfmva import Associator

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SHIPPED = ROOT / "src" / "selfmva" / "association" / "pretrained" / "models"
MODELS = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())


WITH_ANOTHER_WAY = {("av", "video")}  # without it, OpenCV writes videos, and the log says so
DOCS_TOOLS = "docs"  # the extra of whoever builds the site; the package itself never asks for it


def required(source: Path) -> set[tuple[str, str]]:
    """Module and extra of every `require(module, extra)`, which stands before the import of what may be missing."""
    return {
        (call.args[0].value, call.args[1].value)
        for path in sorted(source.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "require"
        if all(isinstance(argument, ast.Constant) for argument in call.args)
    }


def section(title: str) -> str:
    """The text of docs/stability.md below a title."""
    return (ROOT / "docs" / "stability.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_public_module_is_called_stable_or_provisional() -> None:
    frozen = set(json.loads((ROOT / "tests" / "api_surface.json").read_text(encoding="utf-8")))
    stable, provisional = (
        set(re.findall(r"`(selfmva[\w.]*)`", section(f"What is {kind}"))) for kind in ("stable", "provisional")
    )
    assert frozen <= stable | provisional
    assert stable & provisional == set()


def test_every_entry_point_group_is_called_stable_and_shown_with_its_page() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "how-to").glob("writing-*.md"))
    for group in PROJECT["entry-points"]:
        assert f"`{group}`" in section("What is stable")
        assert f'[project.entry-points."{group}"]' in pages


@pytest.mark.parametrize("model", MODELS)
def test_the_licence_of_a_model_is_told(model: str) -> None:
    card = Associator.from_pretrained(model).card_
    assert card is not None
    assert card.license is not None
    assert card.license in PROJECT["license"].split(" AND ")
    assert f"| `{model}` |" in (SHIPPED / "LICENSE.md").read_text(encoding="utf-8")


def test_licence_files_are_there() -> None:
    assert "Apache-2.0" in PROJECT["license"].split(" AND ")
    assert all((ROOT / path).is_file() for path in PROJECT["license-files"])
    assert str((SHIPPED / "LICENSE.md").relative_to(ROOT)) in PROJECT["license-files"]


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {selfmva.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    extras = PROJECT["optional-dependencies"].values()
    for requirement in (*PROJECT["dependencies"], *(line for extra in extras for line in extra)):
        assert re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+", requirement), requirement


def test_every_extra_installs_what_the_package_asks_for_and_nothing_else() -> None:
    extras = {
        (re.split(r"[\[>]", requirement)[0].replace("-", "_"), extra)
        for extra, requirements in PROJECT["optional-dependencies"].items()
        for requirement in requirements
        if extra != DOCS_TOOLS
    }
    asked = required(ROOT / "src")
    assert len(asked) >= 6
    assert extras == asked | WITH_ANOTHER_WAY


def test_the_site_uses_what_its_extra_installs() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "mkdocs.yml", *(ROOT / "docs").glob("*.py")))
    for requirement in PROJECT["optional-dependencies"][DOCS_TOOLS]:
        name = re.split(r"[\[>]", requirement)[0]
        assert name.removeprefix("mkdocs-") in used, f"nothing of the site uses {name}"
