"""What an associator says of the geometry that it found."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues import Rig
from selfmva.association.learning import learn_tables, synchrony_of
from selfmva.association.synchrony import pooled
from selfmva.core.types import Frame, clip_to_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva import Associator
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor import Floor


def trusted_homographies(associator: Associator) -> dict[tuple[int, int], FloatArray]:
    """Of every trusted view pair (i, j), the ground homography from pixels of view i to pixels of view j."""
    return floor_homographies(associator.floor_)


def floor_homographies(floor: Floor | None) -> dict[tuple[int, int], FloatArray]:
    """The same, of a floor."""
    if floor is None:
        return {}
    return {pair: floor.homography(*pair) for pair, support in floor.supports.items() if support.trusted}


def views_on_floor(associator: Associator) -> int:
    """Number of views that have a homography to the common floor."""
    return 0 if associator.floor_ is None else len(associator.floor_.views_on_floor)


def clock_offsets(associator: Associator) -> IntArray:
    """`(V,)`: view v shows at instant t what view 0 shows at t + offset."""
    return associator.clock_offsets_


def with_cue_alone(associator: Associator, frames: Sequence[Frame], cue: str) -> Associator:
    """The same associator with posteriors learnt anew from one cue, `"embedding"` or `"head lines"`."""
    frames = [clip_to_views(frame, associator.views_) for frame in frames]
    shift = associator.get_params()["recipe"].minimum_shift
    rig = Rig(associator.views_, associator.encoder_, None, associator.lines_ if cue == "head lines" else {})
    synchrony = synchrony_of(rig, frames, np.arange(len(frames)), shift)
    if cue == "head lines":
        synchrony = {pair: pooled([]) for pair in synchrony}  # nothing was learnt
    alone = copy(associator)
    alone.floor_, alone.lines_ = None, rig.lines
    alone.tables_, _ = learn_tables(rig, frames, synchrony, minimum_shift=shift, trained_on=True)
    return alone
