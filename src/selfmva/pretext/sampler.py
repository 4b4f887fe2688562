"""Which instants and views go into a step.

Every draw depends on the seed and a counter alone, so that a
training resumed at any step sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.core.types import IntArray


@dataclass(frozen=True, eq=False)
class Triplets:
    """The triplets of one epoch, one per instant, in random order.

    Attributes:
        instant: `(T,)` int64, when the anchor and the positive were seen.
        negative: `(T,)` int64, when the negative was seen.
        anchor_view: `(T,)` int64.
        sample_view: `(T,)` int64, the view of the positive and of the negative.
    """

    instant: IntArray
    negative: IntArray
    anchor_view: IntArray
    sample_view: IntArray


def sample_triplets(
    rng: np.random.Generator,
    instants: int,
    views: int,
    *,
    minimum_shift: int = 5,
    maximum_shift: int = 19,
    anchor_view: int | None = None,
) -> Triplets:
    """Draw the triplets of one epoch.

    Args:
        rng: Source of all draws.
        instants: Number of instants, at least `minimum_shift + 1`.
        views: Number of views, at least 2.
        minimum_shift: Least distance of a negative, in instants.
        maximum_shift: Largest distance; distances are uniform, signs random, the other sign at a border.
        anchor_view: The view that is always the anchor; None: an ordered pair of views is drawn.

    Returns:
        One triplet per instant.

    Raises:
        InputError: Too few instants or views for a negative, or an anchor view that is not there.

    Example:
        >>> drawn = sample_triplets(np.random.default_rng(0), instants=30, views=3)
        >>> bool(np.all(np.abs(drawn.negative - drawn.instant) >= 5))
        True
    """
    check_anchor_view(anchor_view, views)
    if minimum_shift > maximum_shift:
        raise InputError(f"minimum_shift ({minimum_shift}) must not exceed maximum_shift ({maximum_shift})")
    check_length(instants, minimum_shift)
    instant = rng.permutation(instants)
    # Near the middle of a short recording not even the shortest shift may fit on either side.
    reach = np.minimum(maximum_shift, np.maximum(instant, instants - 1 - instant))
    shift = rng.integers(np.minimum(minimum_shift, reach), reach + 1)
    sign = rng.choice(np.array([-1, 1]), size=instants)
    outside = (instant + sign * shift < 0) | (instant + sign * shift >= instants)
    negative = (instant + np.where(outside, -sign, sign) * shift).astype(np.int64)
    anchor = rng.integers(0, views, size=instants)
    if anchor_view is not None:
        anchor = np.full(instants, anchor_view)
    sample = (anchor + rng.integers(1, views, size=instants)) % views
    return Triplets(instant, negative, anchor, sample)


def check_anchor_view(anchor_view: int | None, views: int) -> None:
    """Raise an InputError where the fixed anchor is not one of the views; None fixes none."""
    if anchor_view is not None and not 0 <= anchor_view < views:
        raise InputError(f"anchor_view must be in 0..{views - 1}, got {anchor_view}")


def check_length(instants: int, minimum_shift: int) -> None:
    """Raise an InputError where a recording is too short to hold a shifted instant."""
    if instants <= minimum_shift:
        raise InputError(
            f"learning needs instants at least {minimum_shift} apart, but only {instants} instants came; "
            "give more instants or lower minimum_shift"
        )


def sample_instants(rng: np.random.Generator, instants: int, size: int) -> IntArray:
    """Draw the instants of one batch: `(min(size, instants),)` distinct, sorted by time.

    Example:
        >>> sample_instants(np.random.default_rng(0), instants=3, size=16)
        array([0, 1, 2])
    """
    return np.sort(rng.choice(instants, size=min(size, instants), replace=False))


def hold_out(instants: int, fraction: float) -> tuple[IntArray, IntArray]:
    """Split a recording into instants for training and instants kept from it: its end, in one piece.

    Shorter pieces would stand next in time to what was learnt, and an encoder that remembers the scene of a second
    earlier passes for one that has learnt where people are.

    Args:
        instants: Number of instants.
        fraction: Fraction to hold out, in [0, 1).

    Returns:
        Increasing numbers of the training instants and of those held out; none where it is below two instants.

    Example:
        >>> hold_out(20, 0.2)[1]
        array([16, 17, 18, 19])
    """
    everything = np.arange(instants)
    kept = round(fraction * instants) if fraction * instants >= 2 else 0
    return everything[: instants - kept], everything[instants - kept :]
