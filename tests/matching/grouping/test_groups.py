"""Groups over several views: never two boxes of one view, whatever the links say."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfmva.errors import InputError
from selfmva.matching.grouping import climb, groups
from selfmva.matching.grouping.groups import confidence, group, group_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

Partition = set[frozenset[int]]


def partition(ids: np.ndarray) -> Partition:
    return {frozenset(np.flatnonzero(ids == number).tolist()) for number in np.unique(ids)}


def symmetric(matrix: np.ndarray) -> np.ndarray:
    upper = np.triu(matrix, 1)
    return upper + upper.T


@st.composite
def problems(draw: st.DrawFn, most: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Continuous random log-odds, without ties, and the view of each box."""
    view = np.array(draw(st.lists(st.integers(0, 3), max_size=most)), dtype=np.int64)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return symmetric(rng.normal(draw(st.sampled_from([-2.0, 0.0, 2.0])), 3, (len(view), len(view)))), view


def total(log_odds: np.ndarray, view: np.ndarray, ids: np.ndarray, threshold: float = 0.0) -> float:
    """What groups are worth: the sum over all pairs of boxes inside them."""
    inside = np.triu((ids[:, None] == ids) & (view[:, None] != view), 1)
    return float((log_odds - threshold)[inside].sum())


def partitions(size: int) -> Iterator[np.ndarray]:
    """Every way to put boxes into groups."""
    if size == 0:
        yield np.zeros(0, dtype=np.int64)
        return
    for ids in partitions(size - 1):
        for own in range(ids.max(initial=-1) + 2):
            yield np.append(ids, own)


@given(problems(most=7), st.sampled_from([-1.0, 0.0, 1.5]))
def test_exact_groups_by_trying_every_partition(problem: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
    log_odds, view = problem
    best = max(
        total(log_odds, view, ids, threshold)
        for ids in partitions(len(view))
        if all(len(set(view[ids == number])) == np.sum(ids == number) for number in np.unique(ids))
    )
    found = group(log_odds, view, threshold, solver="exact")
    assert total(log_odds, view, found, threshold) == pytest.approx(best, abs=1e-6)


@given(problems(), st.sampled_from([-1.0, 0.0, 1.5]))
@settings(max_examples=100)
def test_the_search_ends_where_no_step_gains(problem: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
    """No box gains by moving to another group or staying alone, no two groups by joining; never above the optimum."""
    log_odds, view = problem
    ids = group(log_odds, view, threshold)
    reached = total(log_odds, view, ids, threshold)
    assert reached <= total(log_odds, view, group(log_odds, view, threshold, solver="exact"), threshold) + 1e-6
    for box, place in product(range(len(view)), range(ids.max(initial=-1) + 2)):
        moved = np.where(np.arange(len(view)) == box, place, ids)
        if view[box] not in view[(moved == place) & (np.arange(len(view)) != box)]:
            assert total(log_odds, view, moved, threshold) <= reached + 1e-6
    for one, other in combinations(range(ids.max(initial=-1) + 1), 2):
        if not set(view[ids == one]) & set(view[ids == other]):
            assert total(log_odds, view, np.where(ids == other, one, ids), threshold) <= reached + 1e-6


def crowd(views: int, people: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Log-odds of 2 for and 2 against, and noise; some people are not seen, some boxes are nobody."""
    seen = [np.flatnonzero(rng.random(people) > 0.15) for _ in range(views)]
    clutter = [-1 - 1000 * v - np.arange(rng.binomial(people, 0.1)) for v in range(views)]
    person = np.concatenate([rng.permutation(np.append(*both)) for both in zip(seen, clutter, strict=True)])
    view = np.repeat(np.arange(views), [len(a) + len(b) for a, b in zip(seen, clutter, strict=True)])
    return symmetric(rng.normal(np.where(person[:, None] == person, 2.0, -2.0), noise)), view, person


def test_noisy_frames_are_grouped_as_well_as_can_be() -> None:
    rng = np.random.default_rng(0)
    gaps = []
    for noise in np.repeat([1.0, 1.5, 2.0], 20):
        log_odds, view, _ = crowd(4, 5, noise, rng)
        best = total(log_odds, view, group(log_odds, view, solver="exact"))
        gaps.append(1 - total(log_odds, view, group(log_odds, view)) / best)
    assert np.mean(np.array(gaps) < 1e-9) >= 0.98
    assert np.mean(gaps) < 1e-3


def test_a_crowd_is_not_merged() -> None:
    """Where one noisy link after the other merges everybody."""
    log_odds, view, person = crowd(7, 20, 1.5, np.random.default_rng(0))
    ids = group(log_odds, view)
    apart = view[:, None] != view
    joined, true = (ids[:, None] == ids)[apart], (person[:, None] == person)[apart]
    assert 2 * (joined & true).sum() / (joined.sum() + true.sum()) > 0.95


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), max_size=4).map(np.array), st.integers(0, 999))
def test_frames_together_are_frames_apart(counts: np.ndarray, seed: int) -> None:
    count = counts.reshape(-1, 3).astype(np.int64)
    width = int(count.max(initial=0))
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 3, (len(count), 3, width, 3, width))
    odds += odds.transpose(0, 3, 4, 1, 2)
    found = group_frames(odds, count, 0.5)
    assert (found.dtype, found.shape) == (np.int64, (len(count), 3, width))
    real = np.arange(width) < count[:, :, None]
    assert (found[~real] == -1).all()
    for frame, ids in enumerate(found):
        rows = real[frame].ravel()
        flat = odds[frame].reshape(3 * width, 3 * width)[np.ix_(rows, rows)]
        assert ids[real[frame]].tolist() == group(flat, np.repeat(np.arange(3), count[frame]), 0.5).tolist()


def test_a_crowd_beside_a_frame_changes_nothing() -> None:
    """A frame is tried from as many orders whatever it is padded to, and however many are looked at together."""
    rng = np.random.default_rng(3)
    frames = [crowd(5, people, 2.5, rng)[:2] for people in (3, 6, 9, 20, 4)]
    count = np.array([np.bincount(view, minlength=5) for _, view in frames])
    width = int(count.max())
    odds = np.zeros((len(frames), 5, width, 5, width))
    for number, (log_odds, view) in enumerate(frames):
        box = np.concatenate([np.arange(k) for k in count[number]])
        odds[number, view[:, None], box[:, None], view, box] = log_odds
    apart = [group(log_odds, view).tolist() for log_odds, view in frames]
    for cells in (1, groups.CELLS_AT_ONCE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(groups, "CELLS_AT_ONCE", cells)
            together = group_frames(odds, count)
        assert [ids[np.arange(width) < n[:, None]].tolist() for ids, n in zip(together, count, strict=True)] == apart


@pytest.mark.parametrize(("views", "people", "noise"), [(2, 40, 1.0), (4, 6, 2.0), (7, 20, 3.0)])
def test_starts_climb_together_as_each_alone(
    views: int, people: int, noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few starts climb one after the other, many in step; noise makes so many groups that room must grow."""
    rng = np.random.default_rng(people)
    person = np.concatenate([rng.permutation(people)[: people - view] for view in range(views)])
    view = np.repeat(np.arange(views), people - np.arange(views))
    odds = symmetric(rng.normal(np.where(person[:, None] == person, 2.0, -2.0), noise))
    found = []
    for few in (0, 1000):
        monkeypatch.setattr(climb, "CLIMB", replace(climb.CLIMB, few=few))
        found.append(group(odds, view).tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("views", [3, 7])
def test_nobody_joins_on_no_evidence_beside_infinities(views: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of what stands for infinity are off by more than what is tiny, and must not pass for evidence."""
    monkeypatch.setattr(climb, "CLIMB", replace(climb.CLIMB, few=few))
    rng = np.random.default_rng(views)
    view = np.repeat(np.arange(views), 9)
    for _ in range(20):
        odds = symmetric(rng.choice([0.0, -np.inf, np.inf, 0.1], p=[0.6, 0.2, 0.15, 0.05], size=(len(view),) * 2))
        ids = group(odds, view)
        together = (ids[:, None] == ids) & ~np.eye(len(ids), dtype=bool)
        said = np.where(together, np.clip(odds, -1e6, 1e6), 0.0).sum(axis=1)
        assert (said[together.any(axis=1)] > 0.09).all()


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("seed", [68, 147])  # others join whom these two seeds leave behind together
def test_who_is_left_behind_without_evidence_parts(seed: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(climb, "CLIMB", replace(climb.CLIMB, few=few))
    rng = np.random.default_rng(seed)
    view = np.repeat(np.arange(rng.integers(3, 9)), rng.integers(3, 15))
    strong, fraction = rng.normal(0, 3e5, (len(view),) * 2), rng.random((len(view),) * 2)
    odds = symmetric(np.where(fraction < rng.uniform(0.3, 0.8), 0.0, strong))
    ids = group(odds, view)
    together = (ids[:, None] == ids) & ~np.eye(len(ids), dtype=bool)
    said = np.where(together, odds, 0.0).sum(axis=1)
    assert (said[together.any(axis=1)] > 1e-5).all()


@given(problems(), st.integers(0, 999))
def test_the_order_of_views_changes_nothing(problem: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    log_odds, view = problem
    renamed = np.random.default_rng(seed).permutation(4)[view]
    assert partition(group(log_odds, renamed)) == partition(group(log_odds, view))


@given(problems())
def test_never_two_boxes_of_one_view(problem: tuple[np.ndarray, np.ndarray]) -> None:
    log_odds, view = problem
    ids = group(log_odds + 50, view)  # everything wants to be joined
    for members in partition(ids):
        views = view[list(members)]
        assert len(set(views.tolist())) == len(views)


@given(problems())
def test_ids_count_by_first_appearance(problem: tuple[np.ndarray, np.ndarray]) -> None:
    log_odds, view = problem
    ids = group(log_odds, view)
    assert (ids.dtype, ids.shape) == (np.int64, view.shape)
    first = [np.flatnonzero(ids == number)[0] for number in range(ids.max(initial=-1) + 1)]
    assert first == sorted(first)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_changes_nothing(problem: tuple[np.ndarray, np.ndarray], random: object) -> None:
    log_odds, view = problem
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(view))  # type: ignore[attr-defined]
    shuffled = group(log_odds[np.ix_(order, order)], view[order])
    back = np.empty_like(shuffled)
    back[order] = shuffled
    assert partition(back) == partition(group(log_odds, view))


@pytest.mark.parametrize(("views", "people"), [(2, 1), (3, 4), (7, 20)])
def test_clean_cases_are_exact(views: int, people: int) -> None:
    person = np.tile(np.arange(people), views)
    view = np.repeat(np.arange(views), people)
    odds = np.where(person[:, None] == person[None, :], 4.0, -4.0)
    odds += symmetric(np.random.default_rng(0).normal(0, 0.5, odds.shape))
    assert group(odds, view).tolist() == person.tolist()


def test_one_wrong_link_does_not_merge_two_people() -> None:
    """What the transitive closure of matches would do."""
    person = np.tile([0, 1], 4)
    view = np.repeat(np.arange(4), 2)
    odds = np.where(person[:, None] == person[None, :], 3.0, -3.0)
    odds[0, 3] = odds[3, 0] = 2.5
    assert group(odds, view).tolist() == person.tolist()


def test_the_highest_link_goes_first() -> None:
    """Box 0 wants both boxes of view 1 and gets the one that fits better."""
    odds = symmetric(np.array([[0.0, 2.0, 3.0], [0, 0, 9.0], [0, 0, 0]]))
    assert group(odds, np.array([0, 1, 1])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("threshold", "wanted"), [(-5.0, [0, 0, 0]), (0.4, [0, 0, 0]), (0.6, [0, 0, 1]), (2.9, [0, 0, 1]), (3.0, [0, 1, 2])]
)
def test_every_pair_counts_above_the_threshold(threshold: float, wanted: list[int]) -> None:
    """With threshold t, all three together are worth 4 - 3 t, boxes 0 and 1 alone 3 - t."""
    odds = symmetric(np.array([[0.0, 3.0, 2.0], [0, 0, -1.0], [0, 0, 0]]))
    assert group(odds, np.array([0, 1, 2]), threshold).tolist() == wanted


def test_links_inside_a_view_are_not_read() -> None:
    odds = np.array([[0.0, 1e9, 1.0], [1e9, 0, -1.0], [1.0, -1.0, 0]])
    assert group(odds, np.array([0, 0, 1])).tolist() == [0, 1, 0]


def test_empty() -> None:
    assert group(np.zeros((0, 0)), np.zeros(0, np.int64)).shape == (0,)


def test_confidence_is_a_softmax_over_groups_and_nobody() -> None:
    """Box 0 is in group 0 with box 2; boxes 1 and 3 are groups 1 and 2; views 0, 0, 1, 2."""
    odds = symmetric(np.array([[0, 0, 3.0, 1.0], [0, 0, -2.0, -1.0], [0, 0, 0, -4.0], [0, 0, 0, 0]]))
    found = confidence(odds, np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2]))
    assert found[0] == pytest.approx(np.exp(3) / (1 + np.exp(3) + np.exp(1)))
    assert found[1] == pytest.approx(1 / (1 + np.exp(-2) + np.exp(-1)))
    assert found[2] == pytest.approx(np.exp(3) / (1 + np.exp(3) + np.exp(-2) + np.exp(-4)))
    assert found[3] == pytest.approx(1 / (1 + np.exp((1 - 4) / 2) + np.exp(-1)))


@given(problems())
def test_confidences_are_probabilities(problem: tuple[np.ndarray, np.ndarray]) -> None:
    log_odds, view = problem
    found = confidence(log_odds, view, group(log_odds, view))
    assert found.shape == view.shape
    assert ((found >= 0) & (found <= 1)).all()


def test_infinite_log_odds_decide() -> None:
    odds = symmetric(np.array([[0, np.inf, 5.0], [0, 0, -np.inf], [0, 0, 0]]))
    for solver in ("search", "exact"):
        assert group(odds, np.array([0, 1, 2]), solver=solver).tolist() == [0, 0, 1]  # type: ignore[arg-type]


def test_the_exact_solver_takes_frames_of_any_size_in_small_parts() -> None:
    person = np.tile(np.arange(30), 3)
    odds = np.where(person[:, None] == person, 4.0, -4.0)
    assert group(odds, np.repeat(np.arange(3), 30), solver="exact").tolist() == person.tolist()
    with pytest.raises(InputError, match="at most 40 boxes that hang together, got 90: use solver='search'"):
        group(np.ones((90, 90)), np.repeat(np.arange(3), 30), solver="exact")


def test_errors() -> None:
    with pytest.raises(InputError, match="solver must be one of search, exact; got 'best'"):
        group(np.zeros((2, 2)), np.array([0, 1]), solver="best")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"\(F, V, K, V, K\) and count \(F, V\), got \(1, 2, 3\) and \(1, 2\)"):
        group_frames(np.zeros((1, 2, 3)), np.zeros((1, 2), np.int64))
    unknown = np.full((1, 2, 2, 2, 2), np.nan)
    assert group_frames(unknown, np.array([[2, 0]])).tolist() == [[[0, 1], [-1, -1]]]  # inside a view, and padding
    with pytest.raises(InputError, match="log_odds must not be NaN"):
        group_frames(unknown, np.array([[1, 1]]))
    with pytest.raises(InputError, match=r"shape \(2, 2\) for 2 boxes, got \(2, 3\)"):
        group(np.zeros((2, 3)), np.array([0, 1]))
    with pytest.raises(InputError, match="NaN"):
        group(np.array([[0.0, np.nan], [np.nan, 0.0]]), np.array([0, 1]))
