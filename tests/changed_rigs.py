"""A rig of four cameras and a model of it, and what its streams look like after something happened to it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.associator import Associator
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.types import FloatArray

LEARNT, RIGHT, WRONG = 200, 48, 80  # instants to learn from, and of a stream: before something happens, and after
BODY, BREADTH = 1.7, 0.5  # metres
EVERYONE = {"camera0", "camera1", "camera2", "camera3"}

Stream = list[Frame]


@cache
def rig() -> tuple[Associator, Simulated]:
    """A model that knows its rig, and the recording; not to be changed."""
    scene = Simulated(views=4, people=6, instants=LEARNT + RIGHT + WRONG + 8, seed=6)
    associator = Associator(recipe="geometry").fit(scene.views, [scene.frame(t) for t in range(LEARNT)])
    assert len(associator.floor_.views_on_floor) == len(scene.views)
    return associator, scene


def right_stream() -> Stream:
    """What the rig shows after what was learnt, counted from 0."""
    scene = rig()[1]
    return [Frame(scene.frame(t).boxes, index=t - LEARNT) for t in range(LEARNT, len(scene))]


def changed(change: Callable[[Stream, int], Sequence[FloatArray]], *, back_after: int = WRONG) -> Stream:
    """The stream, changed for some time: `change` gives the boxes of an instant."""
    stream = right_stream()
    wrong = range(RIGHT, RIGHT + back_after)
    return [Frame(change(stream, t), index=t) if t in wrong else stream[t] for t in range(RIGHT + WRONG)]


def of_view(view: int, change: Callable[[FloatArray], FloatArray]) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """Change the boxes of one view."""
    return lambda stream, t: [change(b) if v == view else b for v, b in enumerate(stream[t].boxes)]


def of_all(change: Callable[[FloatArray], FloatArray]) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """Change the boxes of all views."""
    return lambda stream, t: [change(boxes) for boxes in stream[t].boxes]


def reordered(*order: int) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """Views show what others should."""
    return lambda stream, t: [stream[t].boxes[v] for v in order]


def late(view: int, instants: int) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """One view shows what it should have shown some instants later."""
    return lambda stream, t: [stream[t + instants * (v == view)].boxes[v] for v in range(len(stream[t].boxes))]


def elsewhere(view: int) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """One view shows another place."""
    other = Simulated(views=4, people=6, instants=WRONG, seed=77)
    return lambda stream, t: [
        other.frame(t - RIGHT).boxes[v] if v == view else b for v, b in enumerate(stream[t].boxes)
    ]


def turned(view: int, degrees: float, axis: int = 1) -> Callable[[Stream, int], Sequence[FloatArray]]:
    """One camera is turned on the spot: a projector of its own shows where people are then, as upright sticks."""
    scene = rig()[1]
    projection = scene.projections[view]
    focal = np.linalg.norm(np.cross(projection[2, :3], projection[0, :3]))
    size = scene.views[view].width, scene.views[view].height
    lens = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1.0]])
    turn = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn[[one, two], [one, two]] = np.cos(np.radians(degrees))
    turn[one, two], turn[two, one] = -np.sin(np.radians(degrees)), np.sin(np.radians(degrees))
    new = lens @ turn @ np.linalg.inv(lens) @ projection

    def boxes_at(t: int) -> FloatArray:
        places = scene.ground_positions(LEARNT + t)[1]
        ends = [np.column_stack([places, np.full(len(places), z), np.ones(len(places))]) @ new.T for z in (0.0, BODY)]
        depth = ends[0][:, 2]
        (foot, head) = (end[:, :2] / np.maximum(end[:, 2:], 0.1) for end in ends)
        half = BREADTH * focal / np.maximum(depth, 0.1) / 2
        boxes = np.column_stack([foot[:, 0] - half, head[:, 1], foot[:, 0] + half, foot[:, 1]])
        inside = np.clip(boxes, 0, [*size, *size])
        area, kept = (np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (boxes, inside))
        return inside[(depth > 0.5) & (kept > 0.7 * area)]

    return lambda stream, t: [boxes_at(t) if v == view else b for v, b in enumerate(stream[t].boxes)]
