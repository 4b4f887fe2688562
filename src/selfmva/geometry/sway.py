"""Cameras that move: at one time of a recording a floor seems to lie elsewhere than at another.

People who stay together under a floor miss each other's feet by a little, each stretch of a track in its own way. What
the stretches of one time have in common, and those of another have not, is no noise of boxes: a camera moved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import f as f_distribution

from selfmva.geometry.box_pairs import squared_length
from selfmva.geometry.meetings import MEETINGS, scales_of_pair, stretches_together
from selfmva.geometry.tracklet_matches import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray
    from selfmva.geometry.meetings import Stretches
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support


@dataclass(frozen=True)
class UnsteadinessSettings:
    """When times of a recording contradict each other."""

    least_stretches: float = 1.5  # of a time that tells, as many as if all were worth the same
    least_times: int = 3
    least_noise: float = 0.05  # body heights, of a stretch: what boxes miss by even where they are good
    chance: float = 1e-3  # that times of a recording of fixed cameras differ so


UNSTEADINESS = UnsteadinessSettings()


def with_sway(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], supports: Mapping[tuple[int, int], Support]
) -> dict[tuple[int, int], Support]:
    """What speaks for pairs of views, with how far their cameras sway.

    A camera that moves contradicts itself with most of its partners; a pair alone may do so where people walk in
    groups. So a view sways as its trusted pairs do in the median, and a pair as that of its views which sways more.

    Args:
        views: All views.
        cameras: Parameters by view.
        supports: Of pairs of views that have a camera.
    """
    own = {pair: measure_sway(views, cameras, pair) for pair, support in supports.items() if support.trusted}
    of_views = {
        view: float(np.median([sway for pair, sway in own.items() if view in pair]))
        for view in {view for pair in own for view in pair}
    }
    return {
        pair: replace(support, sway=max(of_views[view] for view in pair)) if pair in own else support
        for pair, support in supports.items()
    }


def measure_sway(views: Sequence[Sightings], cameras: Mapping[int, FloatArray], pair: tuple[int, int]) -> float:
    """By how much times of a recording differ in where a floor lies, over what stretches of one time differ by.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.

    Returns:
        See `sway_of_stretches`.
    """
    instants = blocks(views[pair[0]], views[pair[1]], MEETINGS.verdict_boxes)
    if not len(instants):
        return 0.0
    length = scales_of_pair(views, pair)[2]
    # Looser than for what speaks for a floor: there, those who are put aside most are not counted.
    return sway_of_stretches(stretches_together(views, cameras, pair, instants, 0, length, MEETINGS.loose_kernel))


def sway_of_stretches(found: Stretches) -> float:
    """The same of stretches that are there.

    The mean errors of stretches, in two dimensions, are taken apart into what differs between the stretches of one
    time and what differs from time to time: a one-way analysis of variance with random effects.

    Args:
        found: Stretches that stay together.

    Returns:
        Standard deviation of the times over that of the stretches of one time; 0 where it may be chance, or too little
        is known.
    """
    error = _without_place(found)
    centre, within, size = [], [], []
    for time in np.unique(found.part):
        chosen = found.part == time
        weight = found.worth[chosen] / found.worth[chosen].sum()
        equal = 1.0 / float((weight**2).sum())
        if equal < UNSTEADINESS.least_stretches:
            continue
        mean = complex((weight * error[chosen]).sum())
        centre.append(mean)
        size.append(equal)
        within.append(float((weight * squared_length(error[chosen] - mean)).sum()) * equal)
    times = len(centre)
    if times < UNSTEADINESS.least_times:
        return 0.0
    means, sizes = np.array(centre), np.array(size)
    freedom = sizes.sum() - times
    variance = max(sum(within) / freedom, 1e-12)
    between = float((sizes * squared_length(means - (sizes * means).sum() / sizes.sum())).sum()) / (times - 1)
    if f_distribution.sf(between / variance, 2 * (times - 1), 2 * freedom) > UNSTEADINESS.chance:
        return 0.0
    usual_size = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (times - 1)
    return float(np.sqrt((between - variance) / usual_size / (variance + UNSTEADINESS.least_noise**2)))


def _without_place(found: Stretches) -> NDArray[np.complex128]:
    """`(P,)` mean errors less what the place in the image explains: a floor may be off more here than there."""
    base = np.column_stack([np.ones(len(found.place)), found.place])
    weight = np.sqrt(found.worth)[:, None]
    explained = np.linalg.lstsq(base * weight, found.mean_error * weight[:, 0], rcond=None)[0]
    return np.asarray(found.mean_error - base @ explained)
