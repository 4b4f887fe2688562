"""Children, wheelchairs, people who sit: of boxes that are shorter than a grown-up's, how many show the foot.

A short box shows a child, or a grown-up whose feet are hidden (see `selfmva.geometry.floor_likelihood`). One view alone
cannot tell. Several can: the bottom of a child's box is a place on the floor, where another view has a child as tall;
the edge of the table that hides a foot is no place on the floor, and views put it at different ones. So among boxes of
each stature, those are counted that meet such a partner at synchronous instants, and at shifted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import gather
from selfmva.core.thinning import evenly_spaced_blocks
from selfmva.geometry.box_pairs import ranges
from selfmva.geometry.floor_cameras import project, projections
from selfmva.geometry.floor_likelihood import LIKELIHOOD, log_odds_of_visible_feet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor import Floor
    from selfmva.geometry.floor_likelihood import FloorReadings


@dataclass(frozen=True)
class StatureSettings:
    """Counting of boxes by stature."""

    instants: int = 1000  # that are looked at
    shifts: tuple[float, ...] = (0.21, 0.37, 0.59)  # fractions of them by which the other view is shifted
    deviations: float = 2.0  # on the floor, within which two feet meet
    alike: float = 0.2  # difference of log statures of one person in two views
    grown: float = 0.15  # log stature, within which a person is grown up
    certain: float = 2.0  # standard deviations by which a count must exceed chance
    most_visible: float = 0.95  # fraction of feet that are seen, at most


STATURES = StatureSettings()


def learn_statures(floor: Floor, recording: PackedBoxes) -> FloatArray | None:
    """Learn from a recording how boxes of each stature are to be read.

    Args:
        floor: The common floor of its views.
        recording: T instants.

    Returns:
        `(K,)` log-odds that the foot is seen, at `LIKELIHOOD.statures`, not less than without having learnt; None where
        no pair of views tells more than that.
    """
    chosen = evenly_spaced_blocks(len(recording), STATURES.instants, STATURES.instants // 20)
    recording = gather(recording, chosen)
    pairs = [pair for pair in floor.supports if floor.trusted(*pair)]
    if not pairs or not len(recording.boxes):
        return None
    readings = floor.read(recording.boxes.astype(np.float64), recording.view)
    kind = np.round((readings.log_stature - LIKELIHOOD.statures[0]) / np.diff(LIKELIHOOD.statures)[0]).astype(np.int64)
    counted = (kind >= 0) & (kind < len(LIKELIHOOD.statures)) & readings.foot_on_floor
    boxes, met, chance = np.zeros((3, len(LIKELIHOOD.statures)))
    lags = [0, *(round(shift * len(recording)) for shift in STATURES.shifts)]
    for pair in pairs:
        for one, other in (pair, pair[::-1]):
            seen = _seen_by(floor, readings, recording.view == one, other) & counted
            boxes += np.bincount(kind[seen], minlength=len(boxes))
            for lag in lags:
                found = _meet(readings, recording, seen, one, other, lag)
                counts = np.bincount(kind[found], minlength=len(boxes))
                if lag:
                    chance += counts / len(STATURES.shifts)
                else:
                    met += counts
    grown = np.abs(LIKELIHOOD.statures) <= STATURES.grown
    usual = (met - chance)[grown].sum() / max(boxes[grown].sum(), 1.0)
    certain = met - chance - STATURES.certain * np.sqrt(met + chance + 1.0)
    fraction = np.clip(certain / np.maximum(boxes * usual, 1e-9), 1e-12, STATURES.most_visible)
    learnt = np.log(fraction / (1.0 - fraction))
    unlearnt = log_odds_of_visible_feet(LIKELIHOOD.statures)
    return np.maximum(learnt, unlearnt) if usual > 0 and (learnt > unlearnt).any() else None


def _seen_by(floor: Floor, readings: FloorReadings, chosen: NDArray[np.bool_], other: int) -> NDArray[np.bool_]:
    """`(M,)` which of the chosen boxes have their foot and its owner's head in the image of another view."""
    camera, view = floor.cameras[other], floor.views[other]
    seen = np.zeros(len(chosen), dtype=bool)
    if camera is None:
        return seen
    rows = np.flatnonzero(chosen)
    tall = np.exp(readings.log_stature[rows])
    body = np.column_stack([readings.foot[rows], tall])
    half = np.array([0.5, 0.5 * view.height / view.width])
    inside = np.ones(len(rows), dtype=bool)
    for points in (body * [1, 1, 0], body):
        image, depth = project(projections(camera), points)
        inside &= (np.abs(image) < half).all(axis=1) & (depth > 0)
    seen[rows] = inside
    return seen


def _meet(
    readings: FloorReadings, recording: PackedBoxes, chosen: NDArray[np.bool_], one: int, other: int, lag: int
) -> IntArray:
    """Numbers of the chosen boxes of a view whose feet meet those of a box as tall in another, at a lag."""
    rows, partners = _pairs_of(recording.count, recording.start, one, other, lag)
    kept = np.flatnonzero(chosen[rows] & readings.foot_on_floor[partners])
    rows, partners = rows[kept], partners[kept]
    alike = np.flatnonzero(np.abs(readings.log_stature[rows] - readings.log_stature[partners]) < STATURES.alike)
    rows, partners = rows[alike], partners[alike]
    x, y = (place[rows] - place[partners] for place in readings.foot.T)
    xx, xy, _, yy = (part[rows] + part[partners] for part in readings.foot_covariance.reshape(-1, 4).T)
    determinant = np.maximum(xx * yy - xy * xy, LIKELIHOOD.smallest_determinant)
    near = yy * x * x - 2 * xy * x * y + xx * y * y < STATURES.deviations**2 * determinant
    return np.unique(rows[near])


def _pairs_of(count: IntArray, start: IntArray, one: int, other: int, lag: int) -> Sequence[IntArray]:
    """Rows of all pairs of boxes of two views, the second so many instants later, around the end of the recording."""
    size, other_size = count[:, one], np.roll(count[:, other], -lag)
    first, other_first = start[:, one], np.roll(start[:, other], -lag)
    partners, partner_first = np.repeat(other_size, size), np.repeat(other_first, size)
    return np.repeat(ranges(first, size), partners), ranges(partner_first, partners)
