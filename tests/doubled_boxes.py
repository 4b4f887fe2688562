"""Detectors that draw some people twice in a view, as part of a test's own scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.types import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray

    Labelled = tuple[Frame, Sequence[IntArray]]

KINDS = ("exact", "jittered", "shaken", "part")
JITTER = {"exact": 0.0, "jittered": 0.03, "shaken": 0.07, "part": 0.02}  # of the sides of a box
LEFT = (0.45, 0.8)  # of the height of half a body


def doubled(
    labelled: Sequence[Labelled], kind: str, seed: int = 0, *, fraction: float = 0.3, views: Sequence[int] | None = None
) -> tuple[list[Labelled], list[tuple[FloatArray, ...]]]:
    """A recording in which some boxes of known people have a double.

    Args:
        labelled: Frames and identities.
        kind: One of `KINDS`.
        seed: Of who is seen twice, and how.
        fraction: Of the boxes.
        views: Numbers of the views it happens to; None: all.

    Returns:
        Frames and identities, boxes of a view in random order; and `(N,)` per frame and view which boxes are doubles.
    """
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    result, added = [], []
    for frame, identities in labelled:
        boxes, who, which = [], [], []
        for view, (own, known) in enumerate(zip(frame.boxes, identities, strict=True)):
            chosen = (rng.random(len(own)) < fraction) & (np.asarray(known) >= 0)
            more = own[chosen & (views is None or view in views)].copy()
            sides = np.tile(more[:, 2:] - more[:, :2], 2)
            if kind == "part":
                more[:, 3] = more[:, 1] + sides[:, 1] * rng.uniform(*LEFT, len(more))
            more = np.maximum(more + JITTER[kind] * sides * rng.standard_normal(more.shape), 0.0)
            order = rng.permutation(len(own) + len(more))
            names = np.asarray(known)[chosen & (views is None or view in views)]
            boxes.append(np.concatenate([own, more])[order])
            who.append(np.concatenate([known, names])[order].astype(np.int64))
            which.append(order >= len(own))
        result.append((Frame(boxes, frame.index), tuple(who)))
        added.append(tuple(which))
    return result, added
