"""Tracks of two views that are one person: their joints lie on each other's epipolar lines, but only at the same time.

For two tracks that live together, a fundamental matrix is fitted to all joints at common instants. The joints of one
person obey it however the person moves. Those of two people obey one, too:

- as long as nobody moves; but then also when one of the tracks is shifted in time. What counts is how much better
  synchronous instants do;
- as long as both walk on, each in front of one camera; but what one half of the time tells does not hold in the other;
- and then about as well when left and right of one view are taken for each other. Those of a person whom one of the
  views shows in a mirror do even better so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from selfmva.geometry.bodies.body_tracks import body_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.bodies.body_tracks import ViewBodies


@dataclass(frozen=True)
class TrackPairSettings:
    """Matching of the tracks of two views."""

    most_tracks: int = 12  # of a view: the longest
    least_instants: int = 12  # that two tracks have in common
    most_instants: int = 80  # of these that are looked at
    least_joints: int = 100  # correspondences: a fundamental matrix has seven numbers of its own
    # Sizes of a body, of the distance of a joint to its line: detectors of joints are this good.
    tolerance: float = 0.01
    shifts: tuple[float, ...] = (0.25, 0.5, 0.75)  # of the common life, where chance is measured
    least_share: float = 0.4  # of the joints that obey
    # By which synchronous instants do better than shifted ones. Strangers come to less than .1, the same person,
    # who moves, to .15 and more.
    least_margin: float = 0.12
    # Of the fraction that obeys, that may obey when left and right of one view are taken for each other.
    largest_swapped: float = 0.6
    largest_swapped_alone: float = 0.5
    seeds: int = 6  # pairs of tracks from which a geometry is tried
    rounds: int = 4  # of choosing tracks and fitting again
    # Fraction of the joints that obey a matrix, that must obey one of the other half of the time: of several people
    # together, and in each half of one alone. Strangers come to .5 and .7.
    least_predicted: float = 0.6
    least_predicted_alone: float = 0.8
    least_margin_alone: float = 0.25  # what `least_margin` is for one person alone
    confidence: float = 0.999
    iterations: int = 3000


TRACK_PAIRS = TrackPairSettings()


@dataclass(frozen=True, eq=False)
class ViewPairMatch:
    """How two views lie to each other, by the bodies of people.

    Attributes:
        matrix: `(3, 3)` fundamental matrix: x_j F x_i = 0 in pixels.
        tracks: `(M, 2)` numbers of the tracks of view i and view j that are one person.
        share: Fraction of their joints that obey it at synchronous instants.
        shifted: The largest such fraction at shifted instants.
        joints: How many joints obey it.
        mirrored: Whether left and right taken for each other do better: one of the two images is a mirror image.
    """

    matrix: FloatArray
    tracks: IntArray
    share: float
    shifted: float
    joints: int
    mirrored: bool = False

    @property
    def margin(self) -> float:
        """By how much synchronous instants do better than shifted ones."""
        return self.share - self.shifted


@dataclass(frozen=True, eq=False)
class _Common:
    """Two tracks at the instants that both have.

    Attributes:
        first: `(T, K, 2)` joints of the one.
        second: The same of the other.
        tolerances: In pixels of each.
        lives: First and last instant of each.
        time: `(T,)` numbers of the instants.
    """

    first: FloatArray
    second: FloatArray
    tolerances: tuple[float, float]
    lives: tuple[tuple[int, int], tuple[int, int]]
    time: IntArray

    def during(self, kept: np.ndarray) -> _Common:
        """The same at some of the instants."""
        return _Common(self.first[kept], self.second[kept], self.tolerances, self.lives, self.time[kept])

    def pairs(self, shift: int) -> tuple[FloatArray, FloatArray]:
        """`(C, 2)` pixels of joints that both see, the second so many instants later, round the common life."""
        second = np.roll(self.second, -shift, axis=0)
        seen = np.isfinite(self.first).all(axis=-1) & np.isfinite(second).all(axis=-1)
        return self.first[seen], second[seen]

    def shifts(self) -> list[int]:
        return [round(len(self.first) * part) for part in TRACK_PAIRS.shifts]


def match_views(first: ViewBodies, second: ViewBodies, sides: Sequence[int]) -> ViewPairMatch | None:
    """Find the tracks of two views that are one person, and the fundamental matrix that they obey.

    Args:
        first: The bodies of view i.
        second: The bodies of view j, over the same instants.
        sides: For every joint the number of the one on the other side of the body, see `Skeleton.mirrored`.

    Returns:
        What obeys one matrix best, or obeys one in a mirror; None where nothing does better than at shifted instants.
    """
    best, in_a_mirror = _match(first, second, sides)
    if best is not None or not in_a_mirror:
        return best
    turned, _ = _match(first, replace(second, joints=second.joints[:, list(sides)]), sides)
    return None if turned is None else replace(turned, mirrored=True)


def _match(first: ViewBodies, second: ViewBodies, sides: Sequence[int]) -> tuple[ViewPairMatch | None, bool]:
    """What obeys one matrix best; and whether something would with left and right taken for each other."""
    together = _tracks_together(first, second)
    alone = {}
    for pair, common in together.items():
        share, shifted = _own_shares(common)
        if share - shifted >= TRACK_PAIRS.least_margin and share >= TRACK_PAIRS.least_share:
            alone[pair] = share - shifted
    best, in_a_mirror = None, False
    for pair in sorted(alone, key=lambda pair: -alone[pair])[: TRACK_PAIRS.seeds]:
        found = _grow(together, [pair])
        if found is None or (best is not None and found.joints <= best.joints):
            continue
        swapped = _swapped_share(together, found, sides)
        in_a_mirror |= swapped > found.share
        limit = TRACK_PAIRS.largest_swapped_alone if _is_alone(found) else TRACK_PAIRS.largest_swapped
        if swapped <= limit * found.share and _is_steady(together, found):
            best = found
    return best, in_a_mirror


def _is_alone(match: ViewPairMatch) -> bool:
    """Whether it is the track of one person in one of the views."""
    return min(len(np.unique(tracks)) for tracks in match.tracks.T) == 1


def judge_matrix(first: ViewBodies, second: ViewBodies, matrix: FloatArray) -> ViewPairMatch | None:
    """What speaks for a fundamental matrix that is known from elsewhere; None where nothing does."""
    return _choose(_tracks_together(first, second), matrix)


def _tracks_together(first: ViewBodies, second: ViewBodies) -> dict[tuple[int, int], _Common]:
    """The pairs of long tracks that have enough instants in common."""
    lives = [_longest(view) for view in (first, second)]
    sizes = [body_sizes(view.joints) for view in (first, second)]
    found = {}
    for a, rows in lives[0].items():
        for b, others in lives[1].items():
            common, here, there = np.intersect1d(first.instant[rows], second.instant[others], return_indices=True)
            if len(here) < TRACK_PAIRS.least_instants:
                continue
            kept = np.linspace(0, len(here) - 1, min(len(here), TRACK_PAIRS.most_instants)).astype(int)
            one, two = rows[here[kept]], others[there[kept]]
            tolerances = tuple(
                TRACK_PAIRS.tolerance * float(np.median(size[part]))
                for size, part in zip(sizes, (one, two), strict=True)
            )
            times = first.instant[rows], second.instant[others]
            spans = tuple((int(time[0]), int(time[-1])) for time in times)
            found[a, b] = _Common(
                first.joints[one],
                second.joints[two],
                (tolerances[0], tolerances[1]),
                (spans[0], spans[1]),
                common[kept],
            )
    return found


def _longest(view: ViewBodies) -> dict[int, IntArray]:
    """Rows of the bodies of the longest tracks, by the number of the track."""
    order = np.argsort(view.track, kind="stable")
    numbers, starts = np.unique(view.track[order], return_index=True)
    ends = np.append(starts[1:], len(order)) if len(starts) else starts
    lives = {
        int(number): order[start:end]
        for number, start, end in zip(numbers, starts, ends, strict=True)
        if number >= 0 and end - start >= TRACK_PAIRS.least_instants
    }
    return dict(sorted(lives.items(), key=lambda life: -len(life[1]))[: TRACK_PAIRS.most_tracks])


def _own_shares(common: _Common) -> tuple[float, float]:
    """Fractions of joints that obey a matrix of their own: at synchronous instants, and at most at shifted ones."""
    share = _own_share(common, 0)
    if share < TRACK_PAIRS.least_share:
        return share, share
    return share, max(_own_share(common, shift) for shift in common.shifts())


def _own_share(common: _Common, shift: int) -> float:
    first, second = common.pairs(shift)
    if len(first) < TRACK_PAIRS.least_joints:
        return 0.0
    _, inliers = fit_matrix(first, second, max(common.tolerances))
    return float(inliers.mean())


def fit_matrix(first: FloatArray, second: FloatArray, tolerance: float) -> tuple[FloatArray | None, np.ndarray]:
    """The fundamental matrix of `(C, 2)` pixels of two views that most of them obey, and `(C,)` which ones do."""
    found: Any = cv2.findFundamentalMat(
        first, second, cv2.USAC_MAGSAC, max(tolerance, 1.0), TRACK_PAIRS.confidence, TRACK_PAIRS.iterations
    )
    matrix, inliers = found
    if matrix is None or matrix.shape != (3, 3) or inliers is None:
        return None, np.zeros(len(first), bool)
    return matrix, inliers.reshape(-1).astype(bool)


def _grow(together: dict[tuple[int, int], _Common], chosen: list[tuple[int, int]]) -> ViewPairMatch | None:
    """Fit a matrix to some pairs of tracks, choose those that obey it, and again."""
    best = None
    for _ in range(TRACK_PAIRS.rounds):
        parts = [together[pair].pairs(0) for pair in chosen]
        tolerance = float(np.mean([max(together[pair].tolerances) for pair in chosen]))
        first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
        matrix, _ = fit_matrix(first, second, tolerance)
        if matrix is None:
            break
        found = _choose(together, matrix)
        if found is None or (best is not None and found.joints <= best.joints):
            break
        best, chosen = found, [(int(a), int(b)) for a, b in found.tracks]
    return best


def _swapped_share(together: dict[tuple[int, int], _Common], match: ViewPairMatch, sides: Sequence[int]) -> float:
    """Fraction of the joints that obey a matrix of their own when left and right of the second view are swapped."""
    if list(sides) == list(range(len(sides))):
        return 0.0  # of joints without sides
    chosen = [together[int(a), int(b)] for a, b in match.tracks]
    parts = [replace(common, second=common.second[:, list(sides)]).pairs(0) for common in chosen]
    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    if len(first) < TRACK_PAIRS.least_joints // 2:
        return 0.0
    return float(fit_matrix(first, second, float(np.mean([max(common.tolerances) for common in chosen])))[1].mean())


def _is_steady(together: dict[tuple[int, int], _Common], match: ViewPairMatch) -> bool:
    """Whether what one half of the time tells holds in the other half."""
    chosen = [together[int(a), int(b)] for a, b in match.tracks]
    cut = float(np.median(np.concatenate([common.time for common in chosen])))
    halves = [
        [common.during(common.time <= cut) for common in chosen],
        [common.during(common.time > cut) for common in chosen],
    ]
    counts = [_predicted(*order) for order in (halves, halves[::-1])]
    told = [obeying / number for obeying, number in counts if number]
    if not _is_alone(match):
        return len(told) > 0 and max(told) >= TRACK_PAIRS.least_predicted * match.share
    clear = match.margin >= TRACK_PAIRS.least_margin_alone
    return clear and len(told) == len(halves) and min(told) >= TRACK_PAIRS.least_predicted_alone * match.share


def _predicted(known: list[_Common], unknown: list[_Common]) -> tuple[float, int]:
    """How many joints of one time obey the matrix of another time, and of how many."""
    parts = [common.pairs(0) for common in known]
    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    if len(first) < TRACK_PAIRS.least_joints // 2:
        return 0.0, 0
    matrix, _ = fit_matrix(first, second, float(np.mean([max(common.tolerances) for common in known])))
    if matrix is None:
        return 0.0, 0
    obeying = [_obeying(matrix, common, 0) for common in unknown]
    return sum(count for count, _ in obeying), sum(number for _, number in obeying)


def _choose(together: dict[tuple[int, int], _Common], matrix: FloatArray) -> ViewPairMatch | None:
    """The pairs of tracks that obey a matrix at synchronous instants alone, one partner at a time."""
    shares = {}
    for pair, common in together.items():
        obeying, number = _obeying(matrix, common, 0)
        if number < TRACK_PAIRS.least_joints or obeying < TRACK_PAIRS.least_share * number:
            continue
        by_chance = max(_obeying(matrix, common, shift)[0] for shift in common.shifts())
        if obeying - by_chance >= TRACK_PAIRS.least_margin * number:
            shares[pair] = (obeying, by_chance, number)
    chosen: list[tuple[int, int]] = []
    for pair in sorted(shares, key=lambda pair: shares[pair][1] - shares[pair][0]):
        if not any(_rivals(together, pair, other) for other in chosen):
            chosen.append(pair)
    if not chosen:
        return None
    obeying, by_chance, number = np.sum([shares[pair] for pair in chosen], axis=0)
    return ViewPairMatch(matrix, np.array(chosen), obeying / number, by_chance / number, int(obeying))


def _rivals(together: dict[tuple[int, int], _Common], pair: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two pairs of tracks give one track two partners at a time: tracks of one person follow each other."""
    return any(
        pair[1 - side] == other[1 - side]
        and pair[side] != other[side]
        and _overlap(together[pair].lives[side], together[other].lives[side])
        for side in (0, 1)
    )


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _obeying(matrix: FloatArray, common: _Common, shift: int) -> tuple[float, int]:
    """How many joints obey a matrix, and of how many."""
    first, second = common.pairs(shift)
    if not len(first):
        return 0.0, 0
    near, far = line_distances(matrix, first, second)
    obeying = (near <= common.tolerances[0] * 2) & (far <= common.tolerances[1] * 2)
    return float(obeying.sum()), len(first)


def line_distances(matrix: FloatArray, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distances in pixels of points to the lines of their partners, in the first and in the second image."""
    one, two = (np.column_stack([points, np.ones(len(points))]) for points in (first, second))
    lines, others = one @ matrix.T, two @ matrix
    algebraic = np.abs((two * lines).sum(axis=1))
    return algebraic / np.linalg.norm(others[:, :2], axis=1), algebraic / np.linalg.norm(lines[:, :2], axis=1)
