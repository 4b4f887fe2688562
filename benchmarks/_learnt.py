"""What an associator says of the geometry that it found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva import Associator
from selfmva.association.learning import learn_tables, synchrony_of
from selfmva.association.recording import CanonicalRecording
from selfmva.association.synchrony import pooled
from selfmva.core.packed_boxes import pack
from selfmva.core.types import Frame, clip_to_views

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    model = replace(associator.model_, floor=None, appearance=None, feature_length=None)
    if cue != "head lines":
        model = replace(model, lines={})
    clipped = [clip_to_views(frame, model.views) for frame in frames]
    canonical = CanonicalRecording.of(model.views, clipped, model.config)
    model, recording = model.reordered(canonical.order), pack(canonical.frames, len(model.views))
    synchrony = synchrony_of(model, recording, np.arange(len(recording)))
    if cue == "head lines":
        synchrony = {pair: pooled([]) for pair in synchrony}  # nothing was learnt
    learnt, _ = learn_tables(model, recording, synchrony, trained_on=True)
    return Associator.from_model(learnt.reordered(canonical.places), device=associator.get_params()["device"])
