"""The public names are frozen: a name comes or goes only together with tests/api_surface.json.

After a change that is meant, run `python tests/test_api_surface.py --update` and read the difference.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

FROZEN = Path(__file__).with_name("api_surface.json")
MODULES = (
    "selfmva",
    "selfmva.datasets",
    "selfmva.detectors",
    "selfmva.encoders",
    "selfmva.errors",
    "selfmva.hub",
    "selfmva.io",
    "selfmva.matching",
    "selfmva.metrics",
    "selfmva.metrics.pose",
    "selfmva.metrics.tracking",
    "selfmva.perception",
    "selfmva.pose",
    "selfmva.viz",
)
MOST_NAMES_AT_THE_TOP = 15
NAMES_OF_IO = 30
PARTS_OF_IO = {"atomic_write", "fingerprint", "open_source", "resolve_boxes", "resolve_view"}


def public_names(module_name: str) -> list[str]:
    """The sorted `__all__` of a module; without one, the public classes and functions that it defines itself."""
    module = importlib.import_module(module_name)
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    defined = (name for name, value in vars(module).items() if getattr(value, "__module__", None) == module_name)
    return sorted(name for name in defined if not name.startswith("_"))


def frozen_names() -> dict[str, list[str]]:
    """The public names of every module, as they were frozen."""
    names: dict[str, list[str]] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return names


def test_every_module_is_frozen() -> None:
    assert sorted(frozen_names()) == sorted(MODULES)


@pytest.mark.parametrize("module_name", MODULES)
def test_names_are_the_frozen_ones(module_name: str) -> None:
    now, frozen = set(public_names(module_name)), set(frozen_names()[module_name])
    assert (now - frozen, frozen - now) == (set(), set()), (
        f"{module_name}: new {sorted(now - frozen)}, gone {sorted(frozen - now)}; "
        "if this is meant, run `python tests/test_api_surface.py --update`"
    )


@pytest.mark.parametrize("module_name", MODULES)
def test_names_can_be_had_once(module_name: str) -> None:
    """A lazy import that leads nowhere, or a name listed twice, is found here."""
    module, names = importlib.import_module(module_name), public_names(module_name)
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []
    assert set(names) <= set(dir(module))


def test_top_is_small() -> None:
    assert len(public_names("selfmva")) <= MOST_NAMES_AT_THE_TOP


def test_reading_and_writing_freezes_what_users_need() -> None:
    """Parts that other modules are made of may change; they are had from where they are defined."""
    frozen = frozen_names()["selfmva.io"]
    assert len(frozen) == NAMES_OF_IO
    assert set(frozen) & PARTS_OF_IO == set()


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    surface = {name: public_names(name) for name in MODULES}
    FROZEN.write_text(json.dumps(surface, indent=2) + "\n", encoding="utf-8")
