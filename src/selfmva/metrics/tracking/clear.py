"""CLEAR MOT: how many boxes are found, how well, and how often an identity switches.

Source: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP
JIVP 2008 (https://doi.org/10.1155/2008/246309). What the paper leaves open is as in TrackEval: a match of the frame
before is kept where it still holds, and else the matching with the largest sum of similarities is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.matching import assign, is_contested, split_by_frame
from selfmva.metrics.tracking.sequence import SIMILARITY_ROUNDING

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence

KEPT = 1000.0  # weight of a match of the frame before: more than all similarities of a frame can outweigh
MOSTLY_TRACKED, MOSTLY_LOST = 0.8, 0.2  # fractions of a person's boxes: Wu and Nevatia, CVPR 2006


@dataclass(frozen=True)
class ClearScore:
    """CLEAR MOT scores of one sequence; NaN where nothing defines them.

    Attributes:
        mota: 1 - (false negatives + false positives + switches) / boxes of the truth; may be negative.
        motp: Mean similarity (overlap, or nearness on the floor) of what is matched.
        recall: Boxes of the truth that are matched.
        precision: Found boxes that are matched.
        true_positives: Number of matches.
        false_positives: Found boxes without a match.
        false_negatives: Boxes of the truth without a match.
        id_switches: How often a person's match has another id than their match before.
        fragmentations: How often a person's track is taken up again after a frame without a match.
        mostly_tracked: People matched in more than 80 % of their boxes.
        partly_tracked: People in between.
        mostly_lost: People matched in less than 20 % of their boxes.
    """

    mota: float
    motp: float
    recall: float
    precision: float
    true_positives: int
    false_positives: int
    false_negatives: int
    id_switches: int
    fragmentations: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int


def clear(sequence: TrackSequence, threshold: float = 0.5) -> ClearScore:
    """CLEAR MOT scores.

    Args:
        sequence: Truth and what was found, all of known identity.
        threshold: Least similarity of a match.

    Example:
        >>> from selfmva.metrics.tracking.sequence import TrackSequence, Side
        >>> truth, found = (Side(np.arange(3), np.array(ids), 2) for ids in ([0, 0, 0], [0, 1, 1]))
        >>> clear(TrackSequence(3, truth, found, np.arange(3), np.arange(3), np.ones(3))).id_switches
        1
    """
    pairs = clear_matches(sequence, threshold)
    people = sequence.truth.ids[sequence.rows[pairs]]
    ids = sequence.found.ids[sequence.columns[pairs]]
    order = np.argsort(people, kind="stable")  # by person, and frames in their order
    person, number = people[order], ids[order]
    active = np.cumsum(_is_active(sequence))[sequence.frames[pairs][order]]
    again = person[1:] == person[:-1]
    boxes, found, matched = len(sequence.truth.ids), len(sequence.found.ids), len(pairs)
    switches = int(np.count_nonzero(again & (number[1:] != number[:-1])))
    present = np.bincount(sequence.truth.ids, minlength=1)
    tracked = np.bincount(people, minlength=len(present))[present > 0] / present[present > 0]
    most = int(np.count_nonzero(tracked > MOSTLY_TRACKED))
    partly = int(np.count_nonzero(tracked >= MOSTLY_LOST)) - most
    return ClearScore(
        mota=ratio(2 * matched - found - switches, boxes),
        motp=ratio(float(sequence.similarity[pairs].sum()), matched),
        recall=ratio(matched, boxes),
        precision=ratio(matched, found),
        true_positives=matched,
        false_positives=found - matched,
        false_negatives=boxes - matched,
        id_switches=switches,
        fragmentations=int(np.count_nonzero(again & (np.diff(active) > 1))),
        mostly_tracked=most,
        partly_tracked=partly,
        mostly_lost=len(tracked) - most - partly,
    )


def clear_matches(sequence: TrackSequence, threshold: float = 0.5) -> IntArray:
    """Numbers of the pairs of `sequence` that CLEAR MOT matches, in the order of frames.

    Boxes that could be matched with one box alone are. Frames with others are solved one after another, since a match
    of the frame before is kept; frames in which either side has no box are passed over.
    """
    candidates = np.flatnonzero(sequence.similarity >= threshold - SIMILARITY_ROUNDING)
    in_doubt = is_contested(sequence, candidates)
    frames = sequence.frames
    matches = {int(frames[part[0]]): [part] for part in split_by_frame(sequence, candidates[~in_doubt])}
    active = np.flatnonzero(_is_active(sequence))
    before = dict(zip(active[1:].tolist(), active[:-1].tolist(), strict=True))
    partner = np.full(max(sequence.truth.people, 1), -1)
    for pairs in split_by_frame(sequence, candidates[in_doubt]):
        frame = int(frames[pairs[0]])
        last = matches.get(before.get(frame, -1), [])
        known = np.concatenate([np.zeros(0, np.int64), *last])
        people = sequence.truth.ids[sequence.rows[known]]
        partner[people] = sequence.found.ids[sequence.columns[known]]
        rows, columns = sequence.rows[pairs], sequence.columns[pairs]
        kept = partner[sequence.truth.ids[rows]] == sequence.found.ids[columns]
        partner[people] = -1
        chosen = pairs[assign(rows, columns, _weights(sequence.similarity[pairs], kept))]
        matches.setdefault(frame, []).append(chosen)
    return np.sort(np.concatenate([np.zeros(0, np.int64), *(part for parts in matches.values() for part in parts)]))


def ratio(part: float, whole: float) -> float:
    """A fraction; NaN of nothing.

    Example:
        >>> ratio(1, 2), ratio(0, 0)
        (0.5, nan)
    """
    return float(part) / float(whole) if whole else float("nan")


def _weights(similarity: FloatArray, kept: IntArray) -> FloatArray:
    return similarity + KEPT * kept


def _is_active(sequence: TrackSequence) -> IntArray:
    """`(length,)` bool: both sides have boxes in the frame."""
    counts = [np.bincount(side.frames, minlength=sequence.length) for side in (sequence.truth, sequence.found)]
    return np.asarray((counts[0] > 0) & (counts[1] > 0))
