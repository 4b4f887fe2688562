"""What an associator says of the geometry that it found; None where it says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva import Associator
    from selfmva.types import FloatArray, IntArray


def trusted_homographies(associator: Associator) -> dict[tuple[int, int], FloatArray] | None:
    """Of every trusted view pair (i, j), the ground homography from pixels of view i to pixels of view j."""
    geometry = getattr(associator, "geometry_", None)
    if geometry is None:
        return None
    return {(pair.i, pair.j): np.asarray(pair.homography) for pair in geometry.pairs if pair.trusted}


def views_on_floor(associator: Associator) -> int | None:
    """Number of views that have a homography to the common floor."""
    floor = getattr(associator, "floor_", None)
    return None if floor is None else sum(homography is not None for homography in floor.homographies)


def clock_offsets(associator: Associator) -> IntArray | None:
    """`(V,)`: view v shows at instant t what view 0 shows at t + offset."""
    offsets = getattr(associator, "offsets_", None)
    return None if offsets is None else np.asarray(offsets, np.int64) - int(offsets[0])
