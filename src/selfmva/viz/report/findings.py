"""What a stream of associations shows, gathered for a report in one pass."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import count, tee
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.metrics.association import score_pairs
from selfmva.metrics.evaluate import calibrated_pairs, checked_identities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from selfmva.association.association import Association
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.association import AssociationScores, PairResult

BINS = 20  # of the distribution of probabilities
ON_FLOOR = 100  # instants, the last ones, whose people are drawn on the floor


@dataclass(frozen=True, eq=False)
class Remarkable:
    """An instant worth looking at.

    Attributes:
        association: What was found.
        wrong: Boxes whose person is not that of the rest of their group, one `(N,)` bool array per view.
        scores: Of the instant; None without labels.
        confidence: How sure the boxes are of their ids, on average.
    """

    association: Association
    wrong: tuple[np.ndarray, ...]
    scores: AssociationScores | None
    confidence: float


@dataclass(eq=False)
class Findings:
    """What associations show.

    Attributes:
        instants: Their numbers.
        people: How many there are at each.
        shared: How many of them several views see.
        partners: `(BINS,)` boxes by how probable their likeliest partner in any other view is.
        pairs: With labels, what was predicted for each view pair and who was there, instant by instant.
        remarkable: The instants with the most mistakes, or the least confident ones without labels; worst first.
        recent: The last instants, without images.
        presence: Of each instant who is seen where, `(M, 3)` int64: its number, the id, the number of the view.
    """

    instants: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    partners: IntArray = field(default_factory=lambda: np.zeros(BINS, np.int64))
    pairs: dict[tuple[int, int], list[PairResult]] = field(default_factory=dict)
    remarkable: list[Remarkable] = field(default_factory=list)
    presence: list[IntArray] = field(default_factory=list)
    recent: deque[Association] = field(default_factory=lambda: deque(maxlen=ON_FLOOR))

    def all_pairs(self) -> list[PairResult]:
        """Those of all view pairs."""
        return [pair for results in self.pairs.values() for pair in results]


def gather_findings(
    associations: Iterable[Association],
    identities: Iterable[Sequence[IntArray]] | None = None,
    *,
    keep: int = 3,
    following: Callable[[Iterable[Association]], Iterable[Association]] = iter,
) -> Findings:
    """Read associations one after the other; images are kept of the remarkable ones alone.

    Args:
        associations: Of successive instants.
        identities: For each, who was there: one `(N,)` int64 array per view, -1 = not known.
        keep: How many remarkable instants to keep.
        following: Gives people ids that last. Scores are those of the associations as they come.

    Returns:
        The findings.

    Raises:
        InputError: Identities don't fit the boxes, or there are not as many as associations.
    """
    findings = Findings()
    worst: list[tuple[float, int, Remarkable]] = []  # a heap whose least entry is the least remarkable
    order = count(0, -1)
    labels = None if identities is None else iter(identities)
    single, followed = tee(associations)
    for association, lasting in zip(single, following(followed), strict=True):
        _count_people(findings, lasting)
        known = None if labels is None else _next_labels(association, labels)
        remarkable = _judge(findings, association, lasting, known)
        badness = 1 - (remarkable.confidence if remarkable.scores is None else remarkable.scores.f1)
        if badness > 0:  # not where nothing could be compared (NaN)
            heapq.heappush(worst, (badness, next(order), remarkable))
        if len(worst) > keep:
            heapq.heappop(worst)
    if labels is not None and next(labels, None) is not None:
        raise InputError("there are identities of more instants than boxes; give one entry per frame")
    findings.remarkable = [entry for _, _, entry in sorted(worst, key=lambda item: item[:2], reverse=True)]
    return findings


def wrong_boxes(ids: Sequence[IntArray], identities: Sequence[IntArray]) -> tuple[np.ndarray, ...]:
    """Boxes that are in a group with others, but not the person that most of the group are.

    Args:
        ids: One `(N,)` int64 array per view.
        identities: Likewise; -1 = not known, which is nobody else.

    Returns:
        One `(N,)` bool array per view. All of a group are wrong where no person leads.

    Example:
        >>> wrong_boxes([np.array([0, 1]), np.array([0, 1]), np.array([0])], [[7, 8], [7, 9], [5]])
        (array([False,  True]), array([False,  True]), array([ True]))
    """
    group, person = (np.concatenate([np.zeros(0, np.int64), *part]) for part in (ids, identities))
    group = np.where(group < 0, -1 - np.arange(len(group)), group)  # left out: in no group
    unknown = person < 0
    person = np.where(unknown, -1 - np.arange(len(person)), person)
    _, kind, counts = np.unique(np.stack([group, person]), axis=1, return_inverse=True, return_counts=True)
    votes = counts[kind.reshape(-1)]
    members = group[:, None] == group
    most = (members * votes).max(axis=1, initial=0)
    leaders = (members & (votes == most[:, None])).sum(
        axis=1
    ) == most  # boxes of the leading people: of one, or several
    wrong = (members.sum(axis=1) > 1) & ((votes < most) | ~leaders)
    return tuple(np.split(wrong, np.cumsum([len(part) for part in ids])[:-1]))


def _count_people(findings: Findings, association: Association) -> None:
    parts = [ids[ids >= 0] for ids in association.ids_of_people()]
    seen_by = np.repeat(np.arange(len(parts)), [len(ids) for ids in parts])
    seen_in = np.unique(np.concatenate(parts), return_counts=True)[1]
    findings.instants.append(association.index)
    findings.presence.append(np.stack([np.full(len(seen_by), association.index), np.concatenate(parts), seen_by], 1))
    findings.people.append(len(seen_in))
    findings.shared.append(int((seen_in > 1).sum()))
    findings.partners += np.histogram(_likeliest_partners(association), BINS, (0.0, 1.0))[0]
    findings.recent.append(replace(association, frame=replace(association.frame, images=None)))


def _likeliest_partners(association: Association) -> FloatArray:
    """For every box, the highest probability of any box of another view; 0 where there is none."""
    best = [np.zeros(number) for number in association.frame.counts]
    for (i, j), block in association.probabilities.items():
        best[i] = np.maximum(best[i], block.max(axis=1, initial=0.0))
        best[j] = np.maximum(best[j], block.max(axis=0, initial=0.0))
    return np.concatenate([np.zeros(0), *best])


def _next_labels(association: Association, labels: Iterable[Sequence[IntArray]]) -> list[IntArray]:
    entry = next(iter(labels), None)
    if entry is None:
        raise InputError(f"instant {association.index}: there are no identities; give one entry per frame")
    return checked_identities(association.frame, entry)


def _judge(
    findings: Findings, association: Association, lasting: Association, identities: list[IntArray] | None
) -> Remarkable:
    confidences = np.concatenate([np.zeros(0), *association.confidences()])
    confidences = confidences[np.concatenate([np.zeros(0, np.int64), *association.ids]) >= 0]
    confidence = float(confidences.mean()) if len(confidences) else 1.0
    if identities is None:
        nothing = tuple(np.zeros(number, bool) for number in association.frame.counts)
        return Remarkable(lasting, nothing, None, confidence)
    results = calibrated_pairs(association, identities)
    for pair, result in results.items():
        findings.pairs.setdefault(pair, []).append(result)
    wrong = wrong_boxes(lasting.ids, identities)
    return Remarkable(lasting, wrong, score_pairs(results.values()), confidence)
