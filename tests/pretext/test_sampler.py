"""What is drawn for a step: distributions, borders, and nothing but the seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.errors import InputError
from selfmva.pretext.sampler import Triplets, hold_out, sample_instants, sample_triplets

LEAST_P = 1e-4  # of a chi-square test; draws are seeded, so a test fails always or never


def many_triplets(epochs: int, instants: int, views: int, **options: int) -> Triplets:
    rng = np.random.default_rng(0)
    drawn = [sample_triplets(rng, instants, views, **options) for _ in range(epochs)]
    names = ("instant", "negative", "anchor_view", "sample_view")
    return Triplets(*(np.concatenate([getattr(epoch, name) for epoch in drawn]) for name in names))


def is_uniform(values: np.ndarray, categories: int) -> bool:
    from scipy.stats import chisquare

    counts = np.unique(values, axis=0, return_counts=True)[1]
    return len(counts) == categories and chisquare(counts).pvalue > LEAST_P


def test_every_instant_is_an_anchor_once_an_epoch() -> None:
    drawn = sample_triplets(np.random.default_rng(0), 50, 3)
    assert sorted(drawn.instant) == list(range(50))
    assert drawn.instant.tolist() != list(range(50))


def test_shifts_are_uniform_from_5_to_19_with_either_sign() -> None:
    drawn = many_triplets(200, 100, 3)
    shift = drawn.negative - drawn.instant
    inner = (drawn.instant >= 19) & (drawn.instant < 81)
    assert set(np.abs(shift)) == set(range(5, 20))
    assert is_uniform(shift[inner], 30)


def test_at_a_border_the_other_sign_is_taken() -> None:
    drawn = many_triplets(200, 100, 3)
    assert drawn.negative.min() >= 0
    assert drawn.negative.max() <= 99
    shift = drawn.negative - drawn.instant
    assert is_uniform(shift[drawn.instant == 0], 15)
    assert (shift[drawn.instant == 0] > 0).all()
    assert (shift[drawn.instant == 99] < 0).all()
    # At instant 10, shifts back by 11 to 19 are turned round.
    at_ten = shift[drawn.instant == 10]
    assert (at_ten < 0).mean() == pytest.approx(0.5 * 6 / 15, abs=0.12)


def test_ordered_pairs_of_views_are_uniform() -> None:
    drawn = many_triplets(50, 100, 4)
    pairs = np.stack((drawn.anchor_view, drawn.sample_view), axis=1)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert is_uniform(pairs, 12)


def test_a_fixed_anchor_view() -> None:
    drawn = many_triplets(50, 100, 4, anchor_view=2)
    assert set(drawn.anchor_view) == {2}
    assert is_uniform(drawn.sample_view, 3)


@given(
    instants=st.integers(2, 60),
    views=st.integers(2, 5),
    least=st.integers(1, 8),
    more=st.integers(0, 20),
    seed=st.integers(),
)
def test_negatives_are_always_inside_and_elsewhere(instants: int, views: int, least: int, more: int, seed: int) -> None:
    rng = np.random.default_rng(abs(seed))
    options = {"minimum_shift": least, "maximum_shift": least + more}
    if instants <= least:
        with pytest.raises(InputError, match=f"at least {least} apart, but only {instants} instants"):
            sample_triplets(rng, instants, views, **options)
        return
    drawn = sample_triplets(rng, instants, views, **options)
    shift = np.abs(drawn.negative - drawn.instant)
    reach = np.maximum(drawn.instant, instants - 1 - drawn.instant)
    assert ((drawn.negative >= 0) & (drawn.negative < instants)).all()
    assert (shift >= np.minimum(least, reach)).all()
    assert (shift <= least + more).all()
    assert (shift > 0).all()


def test_draws_depend_on_the_generator_alone() -> None:
    one, same, other = (sample_triplets(np.random.default_rng(seed), 40, 3) for seed in (1, 1, 2))
    for name in ("instant", "negative", "anchor_view", "sample_view"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    for name in ("negative", "anchor_view", "sample_view"):
        assert getattr(one, name).tolist() != getattr(other, name).tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchor_view": 3}, r"anchor_view must be in 0\.\.2, got 3"),
        ({"anchor_view": -1}, r"anchor_view must be in 0\.\.2, got -1"),
        ({"minimum_shift": 20}, r"minimum_shift \(20\) must not exceed maximum_shift \(19\)"),
        ({"instants": 5}, "only 5 instants came"),
    ],
)
def test_errors(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sample_triplets(np.random.default_rng(0), **{"instants": 30, "views": 3} | options)


@given(instants=st.integers(1, 100), size=st.integers(2, 40), seed=st.integers(0, 99))
def test_instants_of_a_batch(instants: int, size: int, seed: int) -> None:
    drawn = sample_instants(np.random.default_rng(seed), instants, size)
    assert len(drawn) == min(size, instants)
    assert (np.diff(drawn) > 0).all()
    assert ((drawn >= 0) & (drawn < instants)).all()


def test_instants_of_a_batch_are_uniform() -> None:
    rng = np.random.default_rng(0)
    drawn = np.concatenate([sample_instants(rng, 20, 6) for _ in range(2000)])
    assert is_uniform(drawn, 20)


@given(
    instants=st.integers(0, 2000), fraction=st.sampled_from([0.0, 0.004, 0.01, 0.02, 0.05, 0.1, 0.13, 0.2, 0.33, 0.5])
)
def test_hold_out_splits_everything_once(instants: int, fraction: float) -> None:
    learnt, kept = hold_out(instants, fraction)
    assert sorted([*learnt, *kept]) == list(range(instants))
    assert (np.diff(learnt) > 0).all()
    assert (np.diff(kept) > 0).all()
    if fraction * instants < 2:
        assert len(kept) == 0
    else:
        assert len(kept) == pytest.approx(fraction * instants, abs=0.5)


def test_the_end_is_held_out_in_one_piece() -> None:
    learnt, kept = hold_out(1000, 0.1)
    assert kept.tolist() == list(range(900, 1000))
    assert learnt.tolist() == list(range(900))
