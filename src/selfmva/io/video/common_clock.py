"""Which image of a camera belongs to which instant of a common clock: pure functions of times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray

_MOST_INSTANTS, _MOST_PER_IMAGE = 1e6, 100  # beyond both, a clock is wrong: nobody films so little
_EQUAL = 1e-6  # of the common interval: times closer than this are the same, whatever rounding says


def common_instants(times: Sequence[FloatArray], rate: float, reference: int) -> FloatArray:
    """The instants of the clock that ticks with one camera and lasts as long as any gives images.

    Args:
        times: One `(T,)` per camera, seconds, ascending, at least one.
        rate: Instants a second.
        reference: Number of the camera whose first image falls on an instant.

    Returns:
        `(I,)` float64 seconds, evenly spaced.

    Raises:
        InputError: There are more than a million, and a hundred times as many as images.

    Example:
        >>> common_instants([np.array([0.0, 0.1]), np.array([0.22, 0.31])], rate=10, reference=0).tolist()
        [0.0, 0.1, 0.2, 0.3]
    """
    origin = times[reference][0]
    ends = np.array([(camera[0], camera[-1]) for camera in times])
    with np.errstate(over="ignore", invalid="ignore"):  # of clocks that tick for ever, which are refused below
        ticks = np.ceil((ends - origin) * rate - 0.5 - _EQUAL)
    first, last = ticks[:, 0].min(), ticks[:, 1].max()
    images = sum(map(len, times))
    if not last - first < max(_MOST_INSTANTS, _MOST_PER_IMAGE * images):
        raise InputError(
            f"at {rate:g} instants a second from {ends.min():g} s to {ends.max():g} s there are {last - first:.3g} "
            f"instants for {images} images; check the rate, the offsets and the times of the images"
        )
    return np.asarray(origin + np.arange(first, last + 1) / rate, dtype=np.float64)


def nearest_images(times: FloatArray, instants: FloatArray, max_skew: float, interval: float) -> IntArray:
    """The image of each instant: the nearest in time, if it is near enough and nearer to no other instant.

    Of two images equally near the later counts; of two instants equally near to one image the earlier has it.

    Args:
        times: `(T,)` seconds, ascending.
        instants: `(I,)` seconds, ascending.
        max_skew: Seconds up to which an image belongs to an instant.
        interval: Seconds between instants; a millionth of it counts as nothing.

    Returns:
        `(I,)` int64 numbers of images, ascending and each at most once, apart from -1: no image.

    Example:
        >>> nearest_images(np.array([0.01, 0.1, 0.31]), np.array([0.0, 0.1, 0.2, 0.3]), 0.05, 0.1).tolist()
        [0, 1, -1, 2]
    """
    equal = _EQUAL * interval
    after = np.searchsorted(times, instants).clip(0, len(times) - 1)
    before = (after - 1).clip(0)
    later = np.abs(times[after] - instants) <= np.abs(times[before] - instants) + equal
    chosen = np.where(later, after, before)
    distance = np.abs(times[chosen] - instants)
    # Along the instants that want one image distances fall, then rise: the lowest is lower than its neighbours.
    same = chosen[1:] == chosen[:-1]
    falls = distance[1:] < distance[:-1] - equal
    loses = np.zeros(len(instants), dtype=bool)
    loses[:-1] |= same & falls
    loses[1:] |= same & ~falls
    return np.where(loses | (distance > max_skew + equal), -1, chosen).astype(np.int64)
