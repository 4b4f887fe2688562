"""The bodies of one view at one instant, as files of every format give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray

LAST_NUMBER = re.compile(r"(\d+)(?=\D*$)")


@dataclass(frozen=True, eq=False)
class People:
    """Bodies of one image.

    Attributes:
        keypoints: `(N, K, 3)` x, y, score.
        track_ids: `(N,)`, -1 where a body has none; None where nobody has.
    """

    keypoints: FloatArray
    track_ids: IntArray | None = None


def body_of(values: Any, where: str, scores: Any = None) -> FloatArray:
    """`(K, 3)` of one body, from 3 K numbers, or from K places and K scores.

    Raises:
        DataError: Something else.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
        if scores is not None:
            sure = np.asarray(scores, dtype=np.float64).reshape(-1)
            return np.column_stack([numbers.reshape(len(sure), -1)[:, :2], sure])
        return numbers.reshape(-1, 3)
    except (TypeError, ValueError):
        raise DataError(f"{where}: keypoints must be x, y, score of every joint, got {shown(values)}") from None


def people_of(bodies: Sequence[FloatArray], where: str, ids: Sequence[int] | None = None) -> People:
    """Bodies as one array; scores beyond 1, which flags of visibility have, count as 1.

    Raises:
        DataError: Not all have as many joints.
    """
    lengths = {len(body) for body in bodies}
    if len(lengths) > 1:
        raise DataError(f"{where}: bodies have {sorted(lengths)} joints; all must have as many")
    keypoints = np.stack(bodies) if bodies else np.zeros((0, 0, 3))
    keypoints[..., 2] = np.clip(keypoints[..., 2], 0.0, 1.0)
    tracked = ids is not None and any(number >= 0 for number in ids)
    return People(keypoints, np.array(ids, dtype=np.int64) if tracked and ids is not None else None)


def number_of(name: str, where: str) -> int:
    """The number of an instant, the last one in a name.

    Raises:
        DataError: There is none.

    Example:
        >>> number_of("cam01_000000000042_keypoints", "a folder")
        42
    """
    found = LAST_NUMBER.search(name)
    if found is None:
        raise DataError(f"{where}: no number of an instant in {shown(name)}")
    return int(found.group(1))
