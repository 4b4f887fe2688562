"""What an associator says of the geometry that it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfmva import Associator
    from selfmva.geometry.plan import Floor
    from selfmva.types import FloatArray, IntArray


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
