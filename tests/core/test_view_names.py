"""A name means the view that is called so: exactly, or in all but capitals and leading zeros."""

from __future__ import annotations

import pytest

from selfmva.core.types import View
from selfmva.core.view_checks import check_same_sizes
from selfmva.core.view_names import find_views, order_by_name
from selfmva.errors import InputError


@pytest.mark.parametrize(
    ("found", "names", "places"),
    [
        (["b", "a"], ["a", "b"], [1, 0]),
        (["B", "ä"], ["Ä", "b"], [1, 0]),
        (["A", "a"], ["a", "A"], [1, 0]),  # each is exactly one of them
        (["AA"], ["aa", "Aa"], [None]),  # either could be meant
        (["1", "3"], ["03", "01"], [1, 0]),
        (["1"], ["01", "001"], [None]),
        (["c", None, ""], ["a", "b"], [None, None, None]),
        ([], ["a"], []),
    ],
)
def test_which_view_is_meant(found: list[str | None], names: list[str], places: list[int | None]) -> None:
    assert find_views(found, names) == places


def test_order() -> None:
    assert order_by_name(["c", "a", "b"], ["a", "b", "c"], "videos") == [1, 2, 0]
    assert order_by_name(["x", None], ["a", "b"], "videos") is None


@pytest.mark.parametrize("found", [["a", "x"], ["a", "a"], ["a", None], ["a"], ["a", "b", "c"], ["a", "A"]])
def test_some_and_not_all(found: list[str | None]) -> None:
    with pytest.raises(InputError, match="the videos are called a.* the views a, b: give each view its own"):
        order_by_name(found, ["a", "b"], "videos")


def test_cameras_in_another_order() -> None:
    door, hall, yard = (View(name, 6, 4) for name in ("door", "hall", "yard"))
    check_same_sizes([door, hall], "these are of", [door, hall], "those of")
    check_same_sizes([door, hall], "these are of", [View("a", 6, 4), View("b", 6, 4)], "those of")
    with pytest.raises(InputError, match="these are of names hall, door, those of names door, hall: .* another order"):
        check_same_sizes([hall, door], "these are of", [door, hall], "those of")
    with pytest.raises(InputError, match="the cameras are called door, yard, the views door, hall"):
        check_same_sizes([door, yard], "these are of", [door, hall], "those of")
