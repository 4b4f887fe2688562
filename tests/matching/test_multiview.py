"""Groups over several views: never two boxes of one view, whatever the links say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfmva.errors import InputError
from selfmva.matching.multiview import group

Partition = set[frozenset[int]]


def partition(ids: np.ndarray) -> Partition:
    return {frozenset(np.flatnonzero(ids == number).tolist()) for number in np.unique(ids)}


def symmetric(matrix: np.ndarray) -> np.ndarray:
    upper = np.triu(matrix, 1)
    return upper + upper.T


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Continuous random log-odds, without ties, and the view of each box."""
    view = np.array(draw(st.lists(st.integers(0, 3), max_size=10)), dtype=np.int64)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return symmetric(rng.normal(draw(st.sampled_from([-2.0, 0.0, 2.0])), 3, (len(view), len(view)))), view


def group_slowly(log_odds: np.ndarray, view: np.ndarray, threshold: float) -> Partition:
    """The definition: join the two groups of the highest mean, again and again, never two that share a view."""
    groups = [{box} for box in range(len(view))]
    while True:
        best, best_pair = threshold, None
        for a, one in enumerate(groups):
            for b, other in enumerate(groups[:a]):
                if {view[k] for k in one} & {view[k] for k in other}:
                    continue
                mean = np.mean([log_odds[k, m] for k in one for m in other])
                if mean > best:
                    best, best_pair = mean, (a, b)
        if best_pair is None:
            return {frozenset(one) for one in groups}
        a, b = best_pair
        groups[b] |= groups.pop(a)


@given(problems(), st.sampled_from([-1.0, 0.0, 1.5]))
@settings(max_examples=150)
def test_values_against_the_definition(problem: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
    log_odds, view = problem
    assert partition(group(log_odds, view, threshold)) == group_slowly(log_odds, view, threshold)


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
def test_the_threshold_is_on_the_mean_and_must_be_exceeded(threshold: float, wanted: list[int]) -> None:
    """After the join of 0 and 1 (3.0), box 2 is linked by the mean of 2 and -1."""
    odds = symmetric(np.array([[0.0, 3.0, 2.0], [0, 0, -1.0], [0, 0, 0]]))
    assert group(odds, np.array([0, 1, 2]), threshold).tolist() == wanted


def test_links_inside_a_view_are_not_read() -> None:
    odds = np.array([[0.0, 1e9, 1.0], [1e9, 0, -1.0], [1.0, -1.0, 0]])
    assert group(odds, np.array([0, 0, 1])).tolist() == [0, 1, 0]


def test_empty() -> None:
    assert group(np.zeros((0, 0)), np.zeros(0, np.int64)).shape == (0,)


def test_errors() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 2\) for 2 boxes, got \(2, 3\)"):
        group(np.zeros((2, 3)), np.array([0, 1]))
    with pytest.raises(InputError, match="NaN"):
        group(np.array([[0.0, np.nan], [np.nan, 0.0]]), np.array([0, 1]))
