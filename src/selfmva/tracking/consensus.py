"""Past and future decide: what followed people forward, and tracks inside each view, are brought to agree.

Whoever follows everybody forward through all views may take a wrong turn that later instants contradict; tracks inside
a view, made with past and future, know the view alone. Where the two agree in at least nineteen of twenty links, both
are cut into the pieces that they have in common. Pieces of one id and pieces of one track of a view attract each other
in the order of time, pieces of two views by what speaks for their boxes at common instants, and all are joined anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array

from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.tracking.clustering import join_greedily
from selfmva.tracking.single_camera import track_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.tracking.instants import Instant


@dataclass(frozen=True)
class ConsensusSettings:
    """When tracks inside views are heard, and how loud."""

    least_agreement: float = 0.95  # of their links with the ids; where it is less, boxes are too far apart in time
    same_id: float = 3.0  # log-odds that two pieces of one id are of one person
    same_track: float = 3.0  # the same of one track of a view
    neighbours: int = 5  # following pieces that a piece is compared with
    independent: float = 20.0  # common instants that tell as much as one: errors of cameras last


AGREEING = ConsensusSettings()


def reconcile(instants: Sequence[Instant], ids: Sequence[IntArray]) -> list[IntArray]:
    """Ids with which tracks inside the views agree as well.

    Args:
        instants: Of a recording, their indices increasing.
        ids: For each instant `(M,)` ids.

    Returns:
        For each instant `(M,)` ids, numbered from 0 by first appearance; those given, numbered anew, where tracks
        inside the views are not to be relied upon.
    """
    sizes = [len(own) for own in ids]
    if not sum(sizes):
        return list(ids)
    every = np.concatenate(list(ids))
    time = np.repeat(np.arange(len(instants)), sizes)
    view = np.concatenate([instant.view for instant in instants])
    tracks = track_views(
        np.array([instant.index for instant in instants])[time],
        view,
        np.concatenate([instant.boxes for instant in instants]),
    )
    tracks = np.where(tracks < 0, tracks.max(initial=0) + 1 + np.arange(len(tracks)), tracks)
    if _agreement(tracks, every, time) < AGREEING.least_agreement:
        return np.split(_by_first_appearance(every), np.cumsum(sizes)[:-1])
    found, piece = np.unique(np.stack([every, tracks, view], axis=1), axis=0, return_inverse=True)
    piece = piece.reshape(-1)
    start = np.full(len(found), len(instants))
    np.minimum.at(start, piece, time)
    together = coo_array((np.ones(len(piece)), (piece, time)), shape=(len(found), len(instants))).tocsr()
    common = coo_array(together @ together.T)
    one, other = common.row, common.col
    once, same_view = one < other, found[one, 2] == found[other, 2]
    apart = one[once & same_view], other[once & same_view]
    chosen = once & ~same_view
    said = _between_views(instants, np.split(piece, np.cumsum(sizes)[:-1]), common, chosen)
    pairs = [(one[chosen], other[chosen], said)]
    for column, gain in ((0, AGREEING.same_id), (1, AGREEING.same_track)):
        earlier, later = _neighbours(found[:, column], start)
        pairs.append((np.minimum(earlier, later), np.maximum(earlier, later), np.full(len(earlier), gain)))
    first, second, weight = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    links: Any = coo_array((weight, (first, second)), shape=common.shape)
    links.sum_duplicates()
    joined = join_greedily(len(found), links.row, links.col, links.data, apart)
    return np.split(_by_first_appearance(joined[piece]), np.cumsum(sizes)[:-1])


def _agreement(tracks: IntArray, ids: IntArray, time: IntArray) -> float:
    """Fraction of the links of tracks that stay with one id."""
    order = np.lexsort((time, tracks))
    linked = np.diff(tracks[order]) == 0
    return float((np.diff(ids[order]) == 0)[linked].mean()) if linked.any() else 0.0


def _between_views(
    instants: Sequence[Instant], pieces: Sequence[IntArray], common: Any, chosen: np.ndarray
) -> FloatArray:
    """What boxes at common instants say of pairs of pieces of two views: their mean, for as many as are independent."""
    first = np.concatenate([own[instant.first] for instant, own in zip(instants, pieces, strict=True)])
    second = np.concatenate([own[instant.second] for instant, own in zip(instants, pieces, strict=True)])
    said = np.concatenate([instant.posterior for instant in instants]) + LARGEST_LOG_ODDS
    ends = np.minimum(first, second), np.maximum(first, second)
    total = coo_array((said, ends), shape=common.shape).tocsr()
    count = common.data[chosen]
    found = np.asarray(total[common.row[chosen], common.col[chosen]]).reshape(-1) if chosen.any() else np.zeros(0)
    return np.asarray((found / count - LARGEST_LOG_ODDS) * np.maximum(1.0, count / AGREEING.independent))


def _neighbours(label: IntArray, start: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of pieces of one label of which few of the same label begin in between."""
    order = np.lexsort((start, label))
    pairs = [np.zeros((2, 0), np.int64)]
    for step in range(1, AGREEING.neighbours + 1):
        same = label[order[:-step]] == label[order[step:]]
        pairs.append(np.stack([order[:-step][same], order[step:][same]]))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


def _by_first_appearance(ids: IntArray) -> IntArray:
    _, first, number = np.unique(ids, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[number.reshape(-1)])
