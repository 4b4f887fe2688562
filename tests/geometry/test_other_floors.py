"""Two rooms in one recording: the views of the smaller one are found to hold each other, and nobody else."""

from __future__ import annotations

from functools import cache

from floor_scenes import flip, frames_of, walkers

from selfmva import Associator
from selfmva.core.config import GeometryConfig
from selfmva.core.types import Frame, View
from selfmva.geometry.calibration import calibrate

ROOM, OTHER_ROOM = walkers(instants=120), walkers(instants=120, seed=7)
VIEWS = (
    *ROOM.views,
    *(View(f"other{number}", view.width, view.height) for number, view in enumerate(OTHER_ROOM.views)),
)


@cache
def both() -> list[Frame]:
    """Three views of a room, then three of another."""
    rooms = zip(frames_of(ROOM), frames_of(OTHER_ROOM), strict=True)
    return [Frame([*one.boxes, *other.boxes], one.index) for one, other in rooms]


def without(frames: list[Frame], *left: int) -> list[Frame]:
    return [
        Frame([boxes for view, boxes in enumerate(frame.boxes) if view not in left], frame.index) for frame in frames
    ]


def test_two_views_of_another_room_have_a_floor_of_their_own() -> None:
    found = calibrate([*VIEWS[:4], VIEWS[5]], without(both(), 4), GeometryConfig())
    assert found.floor is not None
    assert found.floor.views_on_floor == (0, 1, 2)
    assert found.other_floors == ((3, 4),)


def test_one_view_of_another_room_has_none() -> None:
    assert calibrate(VIEWS[:4], without(both(), 4, 5), GeometryConfig()).other_floors == ()


def test_a_mirror_image_is_no_other_floor() -> None:
    mirror = [Frame(frame.boxes[:3], frame.index) for frame in flip(ROOM, frames_of(ROOM), 1)]
    found = calibrate(VIEWS[:3], mirror, GeometryConfig())
    assert (found.mirrored, found.other_floors) == ((1,), ())


def test_the_report_names_them_and_says_what_to_do() -> None:
    order = [4, 0, 1, 3, 2]
    frames = [Frame([frame.boxes[view] for view in order], frame.index) for frame in both()]
    report = Associator(recipe={"name": "geometry"}).fit([VIEWS[view] for view in order], frames).fit_report_
    assert report.other_floors == (("other1", "other0"),)
    assert "other1 and other0 are on a floor of their own" in report.summary()
    assert "fit() these views by themselves" in report.advice()
