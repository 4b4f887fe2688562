"""What happens to rigs: streams of cameras that were swapped, knocked, rescaled and so on since some instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.types import Frame
from selfmva.geometry.floor_cameras import ASPECT, CENTRE_X, CENTRE_Y, FOCAL, ROLL, pixel_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.types import FloatArray, IntArray, View

    Labelled = tuple[Frame, tuple[IntArray, ...]]
    Shown = tuple[FloatArray, IntArray]  # boxes of a view and who they are

LEAST_SEEN = 0.5  # of a box, inside the image
LEAST_HEIGHT = 8.0  # pixels


@dataclass(frozen=True, eq=False)
class Stream:
    """A stream on a right model, wrong from some instant on.

    Attributes:
        kind: What happened.
        views: Numbers of the views it happened to; empty where nothing happened.
        since: Number of the first frame that is wrong.
        labelled: Frames, and who is who.
    """

    kind: str
    views: tuple[int, ...]
    since: int
    labelled: list[Labelled]


def scaled(labelled: Sequence[Labelled], since: int, views: Sequence[int], factor: float) -> list[Labelled]:
    """Boxes of images of another size."""
    return _changed(labelled, since, {view: lambda boxes, _: (boxes * factor, None) for view in views})


def normalized(
    labelled: Sequence[Labelled], since: int, views: Sequence[int], cameras: Sequence[View]
) -> list[Labelled]:
    """Boxes from 0 to 1."""
    return _changed(
        labelled,
        since,
        {v: lambda b, _, c=cameras[v]: (b / [c.width, c.height, c.width, c.height], None) for v in views},
    )


def mirrored(labelled: Sequence[Labelled], since: int, view: int, camera: View) -> list[Labelled]:
    """An image that is mirrored."""

    def flip(boxes: FloatArray, _: int) -> tuple[FloatArray, None]:
        return np.column_stack([camera.width - boxes[:, 2], boxes[:, 1], camera.width - boxes[:, 0], boxes[:, 3]]), None

    return _changed(labelled, since, {view: flip})


def dark(labelled: Sequence[Labelled], since: int, view: int) -> list[Labelled]:
    """A camera that shows nothing."""
    return _changed(labelled, since, {view: lambda boxes, _: (boxes[:0], np.zeros(len(boxes), bool))})


def swapped(labelled: Sequence[Labelled], since: int, one: int, other: int) -> list[Labelled]:
    """Two cables changed places."""
    order = list(range(len(labelled[0][1])))
    order[one], order[other] = other, one
    return [
        (Frame([frame.boxes[v] for v in order], frame.index), tuple(ids[v] for v in order))
        if t >= since
        else (frame, ids)
        for t, (frame, ids) in enumerate(labelled)
    ]


def late(labelled: Sequence[Labelled], since: int, view: int, lag: Callable[[int], int]) -> list[Labelled]:
    """A clock that goes wrong: the view shows what it should have shown `lag(instants since)` instants later."""
    result = []
    for t, (frame, ids) in enumerate(labelled):
        if t < since:
            result.append((frame, ids))
            continue
        source = t + lag(t - since)
        if not 0 <= source < len(labelled):
            break
        boxes, who = list(frame.boxes), list(ids)
        boxes[view], who[view] = labelled[source][0].boxes[view], labelled[source][1][view]
        result.append((Frame(boxes, frame.index), tuple(who)))
    return result


def elsewhere(labelled: Sequence[Labelled], since: int, view: int, other: Sequence[Labelled]) -> list[Labelled]:
    """A camera that films another place since."""
    result = []
    for t, (frame, ids) in enumerate(labelled):
        if t >= since:
            boxes, who = list(frame.boxes), list(ids)
            boxes[view], who[view] = other[t % len(other)][0].boxes[view], other[t % len(other)][1][view] + 1_000_000
            result.append((Frame(boxes, frame.index), tuple(who)))
        else:
            result.append((frame, ids))
    return result


def knocked(
    labelled: Sequence[Labelled],
    since: int,
    view: int,
    camera: FloatArray,
    image: View,
    turn: tuple[float, float, float],
) -> list[Labelled]:
    """A camera that was turned: its boxes are where the turned camera shows them, and nobody new comes in.

    Args:
        labelled: Frames, and who is who.
        since: Number of the first frame.
        view: Which.
        camera: `(10,)` its parameters, of which the lens counts.
        image: Its size.
        turn: Degrees of pan, tilt and roll.
    """
    matrix = turning(camera, image, turn)

    def map_points(points: FloatArray) -> FloatArray:
        homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
        depth = homogeneous[:, 2:]
        return np.where(depth > 0.05, homogeneous[:, :2] / np.maximum(depth, 0.05), -1e6)

    def turned(boxes: FloatArray, _: int) -> tuple[FloatArray, np.ndarray]:
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        foot, head = (map_points(np.column_stack([middle, boxes[:, row]])) for row in (3, 1))
        side = (boxes[:, 3] + boxes[:, 1]) / 2
        left, right = (map_points(np.column_stack([boxes[:, column], side])) for column in (0, 2))
        half = np.linalg.norm(right - left, axis=1) / 2
        axis = (foot + head) / 2
        low, high = np.minimum(foot[:, 1], head[:, 1]), np.maximum(foot[:, 1], head[:, 1])
        new = np.column_stack([axis[:, 0] - half, low, axis[:, 0] + half, high])
        inside = np.clip(new, 0, [image.width, image.height] * 2)
        area, kept = (np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (new, inside))
        tall = inside[:, 3] - inside[:, 1] >= LEAST_HEIGHT
        return inside, (kept > LEAST_SEEN * area) & tall & (inside[:, 2] - inside[:, 0] > 1)

    return _changed(labelled, since, {view: turned})


def turning(camera: FloatArray, image: View, turn: tuple[float, float, float]) -> FloatArray:
    """`(3, 3)` from pixels to pixels, of a camera that is turned on the spot by degrees of pan, tilt and roll."""
    focal, aspect = np.exp(camera[[FOCAL, ASPECT]])
    lens = np.array([[focal, 0, camera[CENTRE_X]], [0, focal * aspect, camera[CENTRE_Y]], [0, 0, 1]])
    pan, tilt, roll = np.radians(turn)
    upright = _about(2, -camera[ROLL])  # pan is about the vertical of the image
    rotation = upright.T @ _about(1, pan) @ _about(0, tilt) @ _about(2, roll) @ upright
    pixels = pixel_matrix(image)
    return np.asarray(pixels @ lens @ rotation @ np.linalg.inv(pixels @ lens))


def _about(axis: int, angle: float) -> FloatArray:
    matrix = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix[[one, two], [one, two]] = np.cos(angle)
    matrix[one, two], matrix[two, one] = -np.sin(angle), np.sin(angle)
    return matrix


def _changed(
    labelled: Sequence[Labelled],
    since: int,
    changes: dict[int, Callable[[FloatArray, int], tuple[FloatArray, np.ndarray | None]]],
) -> list[Labelled]:
    """Boxes of some views changed from one instant on; a change says which of them it keeps."""
    result = []
    for t, (frame, ids) in enumerate(labelled):
        boxes, who = list(frame.boxes), list(ids)
        for view, change in changes.items() if t >= since else ():
            new, kept = change(boxes[view], t)
            kept = np.ones(len(who[view]), bool) if kept is None else kept
            boxes[view], who[view] = (new[kept] if len(new) == len(kept) else new), who[view][kept]
        result.append((Frame(boxes, frame.index), tuple(who)))
    return result


def draw(  # noqa: C901, PLR0911
    kind: str, rng: np.random.Generator, labelled: list[Labelled], since: int, model: object, other: list[Labelled]
) -> Stream:
    """A stream of one kind of fault on a random view.

    Args:
        kind: One of `KINDS`.
        rng: Chooses view, partner and direction.
        labelled: A right stream.
        since: Number of the first wrong frame.
        model: The `FittedModel` it is right for.
        other: A stream of another place.
    """
    views, floor = model.views, model.floor  # type: ignore[attr-defined]
    count = len(views)
    there = floor.views_on_floor
    view = int(rng.choice(there))
    sign = int(rng.choice([-1, 1]))
    match kind.split():
        case ["nothing"]:
            return Stream(kind, (), len(labelled), labelled)
        case ["half", "all"]:
            return Stream(kind, tuple(range(count)), since, scaled(labelled, since, range(count), 0.5))
        case ["half", "one"]:
            return Stream(kind, (view,), since, scaled(labelled, since, [view], 0.5))
        case ["normalized"]:
            return Stream(kind, tuple(range(count)), since, normalized(labelled, since, range(count), views))
        case ["swapped"]:
            second = int(rng.choice([v for v in there if v != view]))
            return Stream(kind, (view, second), since, swapped(labelled, since, view, second))
        case ["mirrored"]:
            return Stream(kind, (view,), since, mirrored(labelled, since, view, views[view]))
        case ["dark"]:
            return Stream(kind, (view,), since, dark(labelled, since, view))
        case ["knocked", degrees]:
            way = rng.normal(size=3) * [1.0, 0.6, 0.4]
            turn = tuple((float(degrees) * way / np.linalg.norm(way)).tolist())
            boxes = knocked(labelled, since, view, floor.cameras[view], views[view], turn)
            return Stream(kind, (view,), since, boxes)
        case ["clock", instants]:
            return Stream(kind, (view,), since, late(labelled, since, view, lambda _: sign * int(instants)))
        case ["drift"]:
            return Stream(kind, (view,), since, late(labelled, since, view, lambda t: sign * (t // 100 + 1)))
        case ["elsewhere"]:
            return Stream(kind, (view,), since, elsewhere(labelled, since, view, other))
    raise ValueError(kind)


KINDS = (
    "half all",
    "half one",
    "normalized",
    "swapped",
    "mirrored",
    "knocked 3",
    "knocked 8",
    "knocked 20",
    "clock 3",
    "drift",
    "dark",
    "elsewhere",
)
