"""Where the bottoms of boxes lie beside the feet, view by view, as views of one person tell.

Boxes end at toes, which point to the camera as often as away from it, and a little below them; and a calibration that
is a few pixels off moves all feet of its view alike. On a floor that is searched for, the cameras take it up. Those
that are given stay where they are, and one person stands at several places, .1 to .3 m apart on real recordings. So
the feet of every view are moved by one fraction of the boxes' heights until they meet, by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.camera_from_heights import robust_share, weight_of_heights
from selfmva.geometry.floor_cameras import projections, to_floor
from selfmva.geometry.floor_likelihood import LIKELIHOOD
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.tracklet_matches import matches_of_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.tracklet_matches import Matches


@dataclass(frozen=True)
class FootShiftSettings:
    """Learning of shifts."""

    gates: tuple[float, ...] = (0.5, 0.5, 0.4, 0.3)  # body heights, of the matches of each round
    boxes: int = 3000  # of a view, among which matches are looked for
    matches: int = 400  # of a pair of views
    weighings: int = 5  # of the matches of a round, by how well they fit
    noise: float = 0.1  # body heights between two sightings of one person, beside the errors of their boxes
    step: float = 1e-4  # image widths, of the derivatives


FOOT_SHIFTS = FootShiftSettings()


def learn_foot_shifts(views: Sequence[Sightings], cameras: Mapping[int, FloatArray]) -> FloatArray:
    """How far the bottoms of boxes lie from the feet.

    Args:
        views: What every view saw.
        cameras: `(10,)` parameters of those that are known, of the images as the sightings have them.

    Returns:
        `(V, 2)` to the right and down, as fractions of the height of a box; 0 where no view tells. A view by itself
        tells nothing; and what moves all views alike, nobody can see. So small shifts are preferred.
    """
    shifts = np.zeros((len(views), 2))
    pairs = Overlap(views).pairs(cameras)
    for gate in FOOT_SHIFTS.gates:
        seen = [shifted(view, shift) for view, shift in zip(views, shifts, strict=True)]
        gates = dict.fromkeys(pairs, gate)
        matches = matches_of_pairs(seen, cameras, gates, FOOT_SHIFTS.boxes, FOOT_SHIFTS.matches)
        if not matches:
            break
        shifts = _solve(seen, cameras, matches, shifts)
    return shifts


def shifted(view: Sightings, shift: FloatArray) -> Sightings:
    """The sightings of a view whose boxes end at the feet: bottoms moved back by `(2,)` fractions of the heights."""
    if not shift.any():
        return view
    feet = view.feet - shift * view.heights[:, None]
    heads = view.heads - [shift[0], 0.0] * view.heights[:, None]
    return replace(view, feet=feet, heads=heads, heights=view.heights * (1.0 - shift[1]))


def _solve(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], matches: Sequence[Matches], before: FloatArray
) -> FloatArray:
    """Shifts `(V, 2)` by which matched feet meet, from sightings that were moved by some already."""
    parts = [_linearized(views, cameras, found, before) for found in matches]
    prior = np.eye(before.size) / LIKELIHOOD.foot_noise**2
    change: FloatArray = np.zeros(before.size)
    for _ in range(FOOT_SHIFTS.weighings):
        square, pull = prior.copy(), -prior @ before.ravel()
        for columns, design, target, spread in parts:
            error = target - design @ change[columns]
            fit = robust_share((error**2).sum(axis=1) / spread)
            weight = fit * weight_of_heights(len(design)) ** 2 / spread
            square[np.ix_(columns, columns)] += np.einsum("nka,n,nkb->ab", design, weight, design)
            pull[columns] += np.einsum("nka,n,nk->a", design, weight, target)
        change = np.asarray(np.linalg.solve(square, pull))
    return before + change.reshape(before.shape)


def _linearized(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], found: Matches, before: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Numbers `(4,)` of the shifts of two views, `(K, 2, 4)` what they do, `(K, 2)` what they should, and variances.

    P_i - J_i d_i meets P_j - J_j d_j, where d is what a shift lacks times the height of the box.
    """
    sides, places, spread = [], [], np.full(len(found.rows_i), FOOT_SHIFTS.noise**2)
    for view, rows, sign in ((found.i, found.rows_i, -1.0), (found.j, found.rows_j, 1.0)):
        # The height of a box as it was: a shift is a fraction of that.
        size = (views[view].heights[rows] / (1.0 - before[view, 1]))[:, None, None]
        place, slope = _places_and_slopes(cameras[view], views[view].feet[rows])
        sides.append(sign * slope * size)
        spread += ((slope * LIKELIHOOD.foot_noise * size) ** 2).sum(axis=(1, 2)) / 2
        places.append(place)
    columns = np.array([2 * found.i, 2 * found.i + 1, 2 * found.j, 2 * found.j + 1])
    return columns, np.concatenate(sides, axis=2), places[1] - places[0], spread


def _places_and_slopes(camera: FloatArray, feet: FloatArray) -> tuple[FloatArray, FloatArray]:
    """`(N, 2)` places of image points on the floor, and `(N, 2, 2)` how they move with the points."""
    projection = projections(camera)
    place = to_floor(projection, feet)
    moved = [to_floor(projection, feet + FOOT_SHIFTS.step * step) for step in np.eye(2)]
    return place, np.stack([(other - place) / FOOT_SHIFTS.step for other in moved], axis=-1)
