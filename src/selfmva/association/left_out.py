"""Boxes that were left out, back at their places: whoever counts their own boxes finds the answer to each."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.probabilities import EdgeProbabilities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.association.association import Association
    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.core.view_pairs import ViewPair


def with_left_out(association: Association, frame: Frame) -> Association:
    """The answer to a frame, from the answer to its good boxes.

    Args:
        association: Of the frame without its bad boxes.
        frame: As it was given, `bad` marked.

    Returns:
        The same association where no box is bad; else one with as many ids as the frame has boxes, -1 for bad ones,
        whose probabilities are 0.
    """
    if frame.bad is None:
        return association
    kept = [np.flatnonzero(~bad) for bad in frame.bad]
    ids = [_filled(bad, found) for bad, found in zip(frame.bad, association.ids, strict=True)]
    doubles: tuple[IntArray, ...] = ()
    if association.doubles:
        # The numbers of boxes that are doubled, too, are those among all.
        named = [np.append(rows, -1)[one] for rows, one in zip(kept, association.doubles, strict=True)]
        doubles = tuple(_filled(bad, one) for bad, one in zip(frame.bad, named, strict=True))
    probabilities = _spread(association.probabilities, kept, frame.counts)
    return replace(association, frame=frame, ids=tuple(ids), doubles=doubles, probabilities=probabilities)


def _filled(bad: BoolArray, found: IntArray) -> IntArray:
    """`(N,)` what was found of good boxes, -1 for bad ones."""
    filled = np.full(len(bad), -1, dtype=np.int64)
    filled[~bad] = found
    return filled


def with_features_of(frame: Frame, described: Frame) -> Frame:
    """A frame with the features of its good boxes; NaN for the others.

    Args:
        frame: Its bad boxes marked.
        described: The same without them, with features or without.
    """
    if frame.bad is None:
        return described
    if described.features is None or frame.features is not None:
        return frame
    features = []
    for bad, found in zip(frame.bad, described.features, strict=True):
        features.append(np.full((len(bad), found.shape[1]), np.nan, dtype=np.float32))
        features[-1][~bad] = found
    whole = copy(frame)  # what was checked is not checked again
    object.__setattr__(whole, "features", tuple(features))
    return whole


def _spread(
    found: Mapping[ViewPair, FloatArray], kept: list[IntArray], counts: tuple[int, ...]
) -> Mapping[ViewPair, FloatArray]:
    """Probabilities of boxes at their places among all."""
    if isinstance(found, EdgeProbabilities):
        start = np.cumsum([0, *counts])[:-1]
        place = np.concatenate([rows + first for rows, first in zip(kept, start, strict=True)])
        return EdgeProbabilities(place[found.first], place[found.second], found.probabilities, counts)
    spread = {}
    for (i, j), block in found.items():
        spread[i, j] = np.zeros((counts[i], counts[j]))
        spread[i, j][np.ix_(kept[i], kept[j])] = block
    return spread
