"""What may have happened to a rig, as what would undo it: boxes as the cameras of the model would have shown them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.sightings import turn_boxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from selfmva.core.types import FloatArray, View

    # From the boxes of all views at successive instants, and the number of one of them, to the boxes of that instant as
    # they should be; None where that cannot be known.
    Undo = Callable[[Sequence[Sequence[FloatArray]], int], Sequence[FloatArray] | None]

SWAPPED, SCALED, NORMALIZED, MIRRORED, UPSIDE_DOWN = "swapped", "scaled", "normalized", "mirrored", "upside down"
KNOCKED, CLOCK_OFF, DARK, OTHER_PLACE, OTHER_DETECTOR = "knocked", "clock", "dark", "another place", "another detector"


@dataclass(frozen=True)
class ChangeSettings:
    """Which changes are tried."""

    # Sizes of images that one camera or program may give, against those of the model.
    scales: tuple[float, ...] = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
    lags: tuple[int, ...] = tuple(k for n in range(1, 11) for k in (n, -n))  # instants
    # By how many heights of a box another detector draws its bottom lower, and its top higher.
    margins: tuple[tuple[float, float], ...] = tuple(
        (low / 20, high / 20) for low in range(-4, 5) for high in range(-4, 5) if low or high
    )


CHANGES = ChangeSettings()


@dataclass(frozen=True, eq=False)
class Change:
    """One thing that may have happened.

    Attributes:
        kind: In one or two words.
        views: Numbers of the views it happened to.
        undo: What it takes to see what the model knows.
        amount: Factor, instants or degrees, where there is one.
        camera: `(10,)` parameters of a camera that was turned, as it is now.
    """

    kind: str
    views: tuple[int, ...]
    undo: Undo
    amount: float = 0.0
    camera: FloatArray | None = None


def of_boxes(views: Sequence[int], change: Callable[[FloatArray, int], FloatArray]) -> Undo:
    """Change the boxes of some views, given their number, each instant by itself; what else is known of them stays."""

    def undo(frames: Sequence[Sequence[FloatArray]], number: int) -> list[FloatArray]:
        return [
            np.hstack([change(rows[:, :4], v), rows[:, 4:]]) if v in views else rows
            for v, rows in enumerate(frames[number])
        ]

    return undo


def swap(order: Sequence[int]) -> Undo:
    """View k shows what view `order[k]` should."""
    places = np.argsort(order).tolist()
    return lambda frames, number: [frames[number][place] for place in places]


def lag(view: int, instants: int) -> Undo:
    """One view is so many instants ahead of the others."""

    def undo(frames: Sequence[Sequence[FloatArray]], number: int) -> list[FloatArray] | None:
        source = number - instants
        if not 0 <= source < len(frames):
            return None
        return [frames[source][v] if v == view else boxes for v, boxes in enumerate(frames[number])]

    return undo


def simple_changes(views: Sequence[View], suspects: Sequence[int]) -> Iterator[Change]:
    """Changes that need no search: of single suspects, of two or three of them, of all views.

    Args:
        views: The cameras.
        suspects: Numbers of views, the most suspect first.
    """
    everyone = tuple(range(len(views)))
    for group in (*((view,) for view in suspects), *([everyone] if len(suspects) > 1 else [])):
        yield from _of_images(views, group)
    for view in suspects:
        for instants in CHANGES.lags:
            yield Change(CLOCK_OFF, (view,), lag(view, instants), instants)
    for cycle in (*combinations(suspects, 2), *permutations(suspects, 3)):
        if len(cycle) == 3 and cycle[0] != min(cycle):  # the same three again
            continue
        order = list(everyone)
        for place, view in enumerate(cycle):
            order[view] = cycle[(place + 1) % len(cycle)]
        yield Change(SWAPPED, cycle, swap(order))


def _of_images(views: Sequence[View], group: tuple[int, ...]) -> Iterator[Change]:
    """Images of another size or the wrong way round, of some views."""

    def enlarge(boxes: FloatArray, v: int) -> FloatArray:
        return boxes * [views[v].width, views[v].height, views[v].width, views[v].height]

    def mirror(boxes: FloatArray, v: int) -> FloatArray:
        return np.column_stack([views[v].width - boxes[:, 2], boxes[:, 1], views[v].width - boxes[:, 0], boxes[:, 3]])

    def turn(boxes: FloatArray, v: int) -> FloatArray:
        return turn_boxes(boxes, views[v].width, views[v].height)

    for factor in CHANGES.scales:
        yield Change(SCALED, group, of_boxes(group, partial(_divide, factor)), factor)
    yield Change(NORMALIZED, group, of_boxes(group, enlarge))
    yield Change(MIRRORED, group, of_boxes(group, mirror))
    yield Change(UPSIDE_DOWN, group, of_boxes(group, turn))


def _divide(factor: float, boxes: FloatArray, _: int) -> FloatArray:
    return boxes / factor


def detector_changes(group: Sequence[int]) -> Iterator[Change]:
    """Another detector, which draws boxes tighter or looser."""
    for low, high in CHANGES.margins:

        def redraw(boxes: FloatArray, _: int, low: float = low, high: float = high) -> FloatArray:
            size = (boxes[:, 3] - boxes[:, 1]) / (1 + low + high)
            return np.column_stack([boxes[:, 0], boxes[:, 1] + high * size, boxes[:, 2], boxes[:, 3] - low * size])

        yield Change(OTHER_DETECTOR, tuple(group), of_boxes(group, redraw), low)
