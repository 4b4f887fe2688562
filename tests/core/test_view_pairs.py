"""Pairs of views and their numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.view_pairs import ViewPair, renumber_pairs, view_pairs

Named = tuple[str, str]  # a value that says which views it is of, in its order


def named(views: int) -> dict[ViewPair, Named]:
    return {(i, j): (f"view {i}", f"view {j}") for i, j in view_pairs(views)}


def turn(value: Named) -> Named:
    return value[::-1]


@st.composite
def some_pairs(draw: st.DrawFn) -> tuple[dict[ViewPair, Named], list[int]]:
    """What is known of some pairs of views, and new numbers for all views."""
    views = draw(st.integers(0, 6))
    every = named(views)
    kept = draw(st.sets(st.sampled_from(sorted(every)))) if every else set()
    return {pair: every[pair] for pair in sorted(kept)}, draw(st.permutations(range(views)))


@given(some_pairs())
def test_there_and_back_is_where_one_was(given: tuple[dict[ViewPair, Named], list[int]]) -> None:
    values, numbers = given
    back = [numbers.index(view) for view in range(len(numbers))]
    assert renumber_pairs(renumber_pairs(values, numbers, turn), back, turn) == values
    plain = {pair: frozenset(value) for pair, value in values.items()}
    assert renumber_pairs(renumber_pairs(plain, numbers), back) == plain


@given(some_pairs())
def test_values_follow_their_views(given: tuple[dict[ViewPair, Named], list[int]]) -> None:
    """A value of views (i, j) is one of their new numbers, the smaller first, and so are the sides of the value."""
    values, numbers = given
    found = renumber_pairs(values, numbers, turn)
    assert list(found) == sorted(found)
    assert len(found) == len(values)
    for (i, j), value in found.items():
        assert i < j
        assert value == (f"view {numbers.index(i)}", f"view {numbers.index(j)}")


def test_numbers_need_not_be_those_of_all_views() -> None:
    """Views may leave gaps, as in a choice of a larger rig."""
    assert renumber_pairs({(0, 1): "ab", (0, 2): "ac"}, [5, 0, 9], turn=lambda pair: pair[::-1]) == {
        (0, 5): "ba",
        (5, 9): "ac",
    }
    assert renumber_pairs({}, []) == {}


def test_pairs_of_views() -> None:
    assert view_pairs(0) == view_pairs(1) == []
    assert view_pairs(4) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
