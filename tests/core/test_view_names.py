"""A name means the view that is called so: exactly, or in all but capitals and leading zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.core.types import Frame, View, clip_to_views, reorder_views
from selfmva.core.view_checks import check_same_sizes
from selfmva.core.view_names import find_views, order_by_name
from selfmva.detectors import Detections, detect
from selfmva.errors import InputError
from selfmva.io import ImageArray, SynchronizedReader
from selfmva.perception import observe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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


class TestFramesThatSayTheirCameras:
    VIEWS = (View("door", 6, 4), View("hall", 6, 4))

    @pytest.mark.parametrize("names", [None, ("door", "hall"), ("Door", "HALL"), ("a", "b"), ("a", "a")])
    def test_of_these_or_of_unknown_ones(self, names: tuple[str, ...] | None) -> None:
        frame = Frame([[[0, 0, 3, 4]], []], view_names=names)
        assert clip_to_views(frame, self.VIEWS) is frame
        turned = reorder_views(frame, [1, 0])
        assert turned.view_names == (None if names is None else names[::-1])
        assert clip_to_views(turned, self.VIEWS[::-1]) is turned

    @pytest.mark.parametrize("names", [("hall", "door"), ("door", "attic"), ("door", "door")])
    def test_of_these_in_another_order_or_of_some(self, names: tuple[str, ...]) -> None:
        with pytest.raises(
            InputError, match=r"instant 7.* cameras .*(hall, door|door, attic|door, door), .*door, hall"
        ):
            clip_to_views(Frame([[], []], 7, view_names=names), self.VIEWS)

    @pytest.mark.parametrize("names", ["ab", 5, ["a"], ["a", None], [1, 2], {"a": 1, "b": 2}])
    def test_what_are_no_names(self, names: Any) -> None:
        with pytest.raises(InputError, match="view_names"):
            Frame([[], []], view_names=names)

    def test_videos_say_what_they_are_called(self) -> None:
        film = np.zeros((2, 4, 6, 3), np.uint8)
        sources = [ImageArray(film, 5, name=name) for name in ("hall", "door")]
        with SynchronizedReader(sources) as reader:
            frames = [*observe(reader, frames=[Frame([[], []], 1)]), *observe(reader, detector=_nobody)]
            frames += detect(reader, _nobody)
            with pytest.raises(
                InputError, match="instant 1 shows the cameras door, hall, but the views are hall, door"
            ):
                list(observe(reader, frames=[Frame([[], []], 1, view_names=("door", "hall"))]))
        assert [frame.view_names for frame in frames] == [("hall", "door")] * 5
        for frame in frames:
            with pytest.raises(InputError, match="shows the cameras hall, door, but the views are door, hall"):
                clip_to_views(frame, self.VIEWS)
        with SynchronizedReader(sources, views=self.VIEWS) as reader:
            for frame in detect(reader, _nobody):
                assert clip_to_views(frame, self.VIEWS) is frame


class _Nobody:
    """A detector that finds nobody."""

    identity = "nobody"

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> list[Detections]:
        return [Detections(np.zeros((0, 4)), np.zeros(0)) for _ in images]


_nobody = _Nobody()
