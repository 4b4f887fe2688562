"""From associations of a whole recording to tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from selfmva.association.instants import as_instant, tracked_boxes, with_lasting_ids
from selfmva.association.tracks import Tracks
from selfmva.errors import InputError
from selfmva.matching.posterior.posterior import bounded_log_odds
from selfmva.tracking.recordings import track_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from selfmva.association.association import Association
    from selfmva.association.model import FittedModel


def track_associations(
    model: FittedModel, associations: Iterable[Association], told: Callable[[int, int], None]
) -> Tracks:
    """Who is who over a recording.

    Args:
        model: What was learnt of the cameras.
        associations: Of its instants.
        told: Called with the number of instants done, and of all.

    Raises:
        InputError: Instants are out of order, or there twice.
    """
    known: list[Association] = []
    for association in associations:
        if known and association.index <= known[-1].index:
            what = "comes twice" if association.index == known[-1].index else f"comes after {known[-1].index}"
            raise InputError(f"instant {association.index} {what}: give frames in the order of time, each once")
        known.append(_without_images(association))
    threshold = float(bounded_log_odds(np.array(model.config.association.threshold)))
    found, _ = track_recording([as_instant(association) for association in known], threshold, told)
    ids, confidences = [], []
    for association, own, motion in zip(known, found.ids, found.log_odds, strict=True):
        lasting = with_lasting_ids(association, own)
        sure = np.zeros(sum(association.frame.counts))
        rows = tracked_boxes(association)
        sure[rows] = np.concatenate(lasting.confidences())[rows] * np.where(motion == 0, 1.0, expit(motion))
        ids.append(lasting.ids)
        confidences.append(tuple(np.split(sure, np.cumsum(association.frame.counts)[:-1])))
    return Tracks(model.views, tuple(a.frame for a in known), tuple(ids), tuple(confidences), model.floor)


def _without_images(association: Association) -> Association:
    """Images of a whole recording would fill the memory."""
    if association.frame.images is None:
        return association
    return replace(association, frame=replace(association.frame, images=None))
