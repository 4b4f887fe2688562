"""Fusion of cues: known scenes give known biases, honest posteriors, and weights that don't count a cue twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from selfmva.errors import InputError
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, DistanceTable, fit_distance_table, no_evidence
from selfmva.matching.posterior.fusion import (
    FUSION,
    Comparison,
    FusedTable,
    _examples,
    _negative_log_likelihood,
    _stack,
    choose_instants,
    fuse,
    log_ratios,
)
from selfmva.matching.posterior.marginals import matching_marginals
from selfmva.metrics.association import average_precision, expected_calibration_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INSTANTS = 100
SIDE = 12.0  # of the square where people are, in body heights

NAMES = ("first", "second", "third", "fourth")  # of cues

Seen = tuple[np.ndarray, np.ndarray]  # who, and where each cue believes them


def film(people: int, seen: tuple[float, float], noises: tuple[float, ...], seed: int) -> list[tuple[Seen, Seen]]:
    """Two views of people at random places; every cue sees places of its own noise."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(INSTANTS):
        places = rng.uniform(0, SIDE, (people, 2))
        who = [np.flatnonzero(rng.random(people) < chance) for chance in seen]
        frames.append(tuple((w, np.stack([places[w] + rng.normal(0, s, (len(w), 2)) for s in noises])) for w in who))
    return frames


def named(distances: np.ndarray) -> dict[str, np.ndarray]:
    """By the name of the cue."""
    return dict(zip(NAMES, distances, strict=False))


def between(one: Seen, other: Seen) -> np.ndarray:
    return np.linalg.norm(one[1][:, :, None] - other[1][:, None], axis=-1)


def compare(frames: list[tuple[Seen, Seen]], change: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Comparison:
    size = np.array([len(one[0]) * len(other[0]) for one, other in frames])
    chosen, shifted = choose_instants(np.arange(len(frames)), size, 5, 5000)
    return Comparison(
        [named(change(between(*frames[k]))) for k in chosen],
        [named(change(between(frames[chosen[k]][0], frames[chosen[m]][1]))) for k, m in shifted],
        shifted,
    )


def tables_of(comparison: Comparison) -> dict[str, DistanceTable]:
    return {
        name: fit_distance_table(*(np.concatenate([b[name].ravel() for b in side]) for side in comparison[:2]))
        for name in comparison.synchronous[0]
    }


def judge(
    score: Callable[[Mapping[str, np.ndarray]], np.ndarray], frames: list[tuple[Seen, Seen]]
) -> tuple[float, float, float]:
    """Average precision, calibration error, and how much the posteriors above 0.5 promise too much."""
    pairs = [(a, b) for a, b in frames if len(a[0]) and len(b[0])]
    labels = np.concatenate([(a[0][:, None] == b[0]).ravel() for a, b in pairs])
    posterior = np.concatenate([matching_marginals(score(named(between(a, b)))).ravel() for a, b in pairs])
    said = posterior > 0.5
    over = posterior[said].mean() - labels[said].mean()
    return average_precision(labels, posterior), expected_calibration_error(labels, posterior), float(over)


@pytest.mark.parametrize(
    ("people", "seen", "noises"),
    [(4, (0.8, 0.8), (0.5, 1.0)), (20, (0.8, 0.8), (0.5, 1.0)), (20, (0.5, 0.5), (0.15, 1.0))],
)
def test_fused_cues_beat_each_and_are_honest(people: int, seen: tuple[float, float], noises: tuple[float, ...]) -> None:
    comparison = compare(film(people, seen, noises, 0))
    fused = fuse({(0, 1): tables_of(comparison)}, {(0, 1): comparison})[0, 1]
    fresh = film(people, seen, noises, 1)
    precision, error, over = judge(fused, fresh)
    singles = []
    for name, table in tables_of(comparison).items():
        singles.append(judge(fuse({(0, 1): {name: table}}, {(0, 1): comparison})[0, 1], fresh)[0])
    assert len(singles) == 2
    assert precision >= max(singles) - 0.003
    assert precision > min(singles) + 0.05
    assert error < 0.025
    assert abs(over) < 0.06


@pytest.mark.parametrize(("people", "chance"), [(20, 0.8), (20, 0.5), (8, 0.7)])
def test_the_bias_counts_the_people_that_nobody_sees(people: int, chance: float) -> None:
    comparison = compare(film(people, (chance, chance), (0.2,), 0))
    fused = fuse({(0, 1): tables_of(comparison)}, {(0, 1): comparison})[0, 1]
    assert fused.bias == pytest.approx(-np.log(people * (1 - chance) ** 2), abs=0.5)


def test_a_cue_that_comes_twice_counts_once() -> None:
    frames = film(8, (0.7, 0.7), (0.5,), 0)
    once, twice = compare(frames), compare(frames, lambda distances: distances[[0, 0]])
    alone = fuse({(0, 1): tables_of(once)}, {(0, 1): once})[0, 1]
    double = fuse({(0, 1): tables_of(twice)}, {(0, 1): twice})[0, 1]
    assert sum(double.weights.values()) == pytest.approx(alone.weights["first"], abs=0.05)
    assert double.bias == pytest.approx(alone.bias, abs=0.1)


def test_a_cue_that_knows_nothing_has_no_say() -> None:
    rng = np.random.default_rng(0)

    def shuffle(distances: np.ndarray) -> np.ndarray:
        return np.stack([distances[0], rng.permutation(distances[1].ravel()).reshape(distances.shape[1:])])

    comparison = compare(film(8, (0.7, 0.7), (0.5, 0.5), 0), shuffle)
    fused = fuse({(0, 1): tables_of(comparison)}, {(0, 1): comparison})[0, 1]
    spread = np.ptp(fused({"first": np.full(50, 6.0), "second": np.linspace(0, 12, 50)}))
    assert spread < 0.1 * np.ptp(fused({"first": np.linspace(0, 12, 50), "second": np.full(50, 6.0)}))


def test_view_pairs_share_weights_and_a_useless_pair_harms_no_other() -> None:
    good, unrelated = compare(film(8, (0.7, 0.7), (0.5, 1.0), 0)), compare(film(8, (0.7, 0.7), (90.0, 90.0), 1))
    alone = fuse({(0, 1): tables_of(good)}, {(0, 1): good})[0, 1]
    tables = {(0, 1): tables_of(good), (0, 2): {"first": no_evidence()}}
    both = fuse(tables, {(0, 1): good, (0, 2): unrelated})
    assert both[0, 1].weights == pytest.approx(alone.weights, rel=1e-7)
    assert both[0, 1].bias == alone.bias
    assert (both[0, 2](named(np.zeros((2, 3, 4)))) == -LARGEST_LOG_ODDS).all()


def test_views_that_see_different_people_are_never_matched() -> None:
    """Even where tables, fitted elsewhere, believe in small distances."""
    known = compare(film(8, (0.7, 0.7), (0.5,), 0))
    here, there = film(8, (0.7, 0.7), (0.5,), 1), film(8, (0.7, 0.7), (0.5,), 2)
    strangers = [(a[0], (b[1][0] + 100, b[1][1])) for a, b in zip(here, there, strict=True)]
    fused = fuse({(0, 1): tables_of(known)}, {(0, 1): compare(strangers)})[0, 1]
    posterior = np.concatenate([matching_marginals(fused(named(between(*frame)))).ravel() for frame in strangers])
    assert (posterior > 0.5).mean() < 0.01


@pytest.mark.parametrize("how", ["turned", "shuffled"])
def test_the_order_of_boxes_and_of_views_changes_nothing(how: str) -> None:
    comparison = compare(film(5, (0.8, 0.6), (0.5, 1.0), 0))
    tables = tables_of(comparison)
    if how == "turned":
        sides = [[{name: cue.T for name, cue in block.items()} for block in side] for side in comparison[:2]]
        other = Comparison(sides[0], sides[1], comparison.instants[:, ::-1])
    else:
        sides = [[{name: cue[::-1, ::-1] for name, cue in block.items()} for block in side] for side in comparison[:2]]
        other = Comparison(sides[0], sides[1], comparison.instants)
    first, second = (fuse({(0, 1): tables}, {(0, 1): data})[0, 1] for data in (comparison, other))
    # A foreign box takes the place of the box of its number: shuffled, of another one.
    tolerance = 1e-3 if how == "turned" else 0.05
    assert second.weights == pytest.approx(first.weights, rel=1e-7, abs=tolerance)
    assert second.bias == pytest.approx(first.bias, abs=4 * tolerance)


def test_the_gradient_that_the_optimizer_is_given() -> None:
    comparison = compare(film(3, (0.7, 0.7), (0.5, 1.0), 0))
    tables = tables_of(comparison)
    point = np.array([0.7, 0.4, 0.3, -1.2])
    stacked = _stack(["first", "second"], [(tables, comparison), ({"first": tables["first"]}, comparison)])
    examples = _examples(point[:2], point[2:], *stacked)
    value, gradient = _negative_log_likelihood(point, examples)
    assert np.isfinite(value)
    np.testing.assert_allclose(
        gradient, approx_fprime(point, lambda p: _negative_log_likelihood(p, examples)[0], 1e-7), atol=1e-5
    )


def test_what_a_cue_does_not_know_it_says_nothing_of() -> None:
    table = DistanceTable(np.array([0.0, 1.0]), np.array([3.0, -3.0]), 0.5)
    fused = FusedTable({"first": table, "third": no_evidence()}, {"first": 2.0, "third": 1.0}, 0.25)
    assert fused(named(np.array([[0.0, np.nan], [9.0, 9.0], [0.0, 0.0]]))).tolist() == [6.25, 0.25]
    assert fused({"second": np.zeros(2), "third": np.zeros(2)}).tolist() == [0.25, 0.25]
    assert fused({}).tolist() == 0.25


def test_what_one_cue_says_is_a_ratio_of_densities() -> None:
    """A tenth of the pairs are true: their odds are in the log-odds, and not in the ratio."""
    table = DistanceTable(np.array([0.0, 1.0]), np.array([3.0, -3.0]), 0.1)
    found = log_ratios(table, np.array([[0.0, 0.5], [1.0, np.nan]]))
    np.testing.assert_allclose(found, [[3 + np.log(9), np.log(9)], [-3 + np.log(9), 0.0]])
    assert log_ratios(no_evidence(), np.zeros((2, 3))).tolist() == [[0.0] * 3] * 2


def test_an_absolute_cue_has_the_weight_one_and_no_bias() -> None:
    """Where a view pair has it; the other pairs learn as if it were not there."""
    comparison = compare(film(8, (0.7, 0.7), (0.5, 1.0), 0))
    tables = tables_of(comparison)
    second = {"second": tables["second"]}
    fused = fuse({(0, 1): tables, (0, 2): second}, dict.fromkeys([(0, 1), (0, 2)], comparison), absolute="first")
    assert (fused[0, 1].weights["first"], fused[0, 1].bias) == (1.0, 0.0)
    assert 0 <= fused[0, 1].weights["second"] <= FUSION.largest_weight_beside
    alone = fuse({(0, 2): second}, {(0, 2): comparison})[0, 2]
    assert (fused[0, 2].weights, fused[0, 2].bias) == (alone.weights, alone.bias)


def test_log_odds_are_bounded() -> None:
    table = DistanceTable(np.array([0.0, 1.0]), np.array([7.0, -7.0]), 0.5)
    fused = FusedTable(dict.fromkeys(NAMES, table), dict.fromkeys(NAMES, 2.0), 7.0)
    found = fused(dict.fromkeys(NAMES, np.array([0.0, 5.0])))
    assert found.tolist() == [2 * LARGEST_LOG_ODDS, -2 * LARGEST_LOG_ODDS]
    assert np.isfinite(matching_marginals(np.full((30, 30), 2 * LARGEST_LOG_ODDS))).all()


@pytest.mark.parametrize("size", [0, 1, 2, 40])
def test_chosen_instants_are_apart(size: int) -> None:
    chosen, shifted = choose_instants(np.arange(size) * 2, np.ones(size, np.int64), 7, 10)
    assert len(chosen) == min(size, FUSION.least_instants)
    assert shifted.shape[1] == 2
    assert (np.abs(np.diff(2 * chosen[shifted], axis=1)) >= 7).all()
    assert len(shifted) == (3 * FUSION.least_instants if size == 40 else 0)


def test_too_little_to_compare_says_no() -> None:
    table = DistanceTable(np.array([0.0, 1.0]), np.array([3.0, -3.0]), 0.5)
    nothing = Comparison([], [], np.zeros((0, 2), np.int64))
    fused = fuse({(0, 1): {"first": table}}, {(0, 1): nothing})[0, 1]
    assert fused({"first": np.zeros((1, 1))}).item() == -LARGEST_LOG_ODDS
    assert fuse({}, {}) == {}


def test_what_an_absolute_cue_says_needs_no_comparison() -> None:
    """The other cues of the pair weigh what was learnt of pairs that could be compared."""
    comparison = compare(film(8, (0.7, 0.7), (1.0, 0.3), 0))
    tables = tables_of(comparison)
    nothing = Comparison([], [], np.zeros((0, 2), np.int64))
    only = {"first": tables["first"]}
    alone = fuse({(0, 1): only}, {(0, 1): nothing}, absolute="first")[0, 1]
    assert (alone.weights, alone.bias) == ({"first": 1.0}, 0.0)
    assert alone.largest > 0
    both = fuse({(0, 1): tables, (0, 2): tables}, {(0, 1): comparison, (0, 2): nothing}, absolute="first")
    assert both[0, 2].weights == both[0, 1].weights
    assert both[0, 1].weights["second"] > 0


def test_the_largest_log_odds_are_those_of_the_best_distances() -> None:
    one = DistanceTable(np.array([0.0, 1.0]), np.array([3.0, -3.0]), 0.5)
    never = DistanceTable(np.array([0.0, 1.0]), np.array([-1.0, -3.0]), 0.5)
    fused = FusedTable({"first": one, "second": never}, {"first": 0.5, "second": 1.0}, -0.25)
    best = max(
        fused({"first": np.array(d), "second": np.array(e)}).item() for d in (0.0, 1.0, np.nan) for e in (0.0, np.nan)
    )
    assert fused.largest == best == 1.25


def test_shared_weights_are_learnt_from_a_part_of_many_crowded_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pairs of views there are, no more than some are looked at, spread over all."""
    comparison = compare(film(8, (0.7, 0.7), (1.0, 0.3), 0))
    tables, pairs = tables_of(comparison), [(0, j) for j in range(1, 31)]
    few = fuse(dict.fromkeys(pairs[:8], tables), dict.fromkeys(pairs[:8], comparison), absolute="first")
    monkeypatch.setattr("selfmva.matching.posterior.fusion.MOST_BOX_PAIRS", 1)
    many = fuse(dict.fromkeys(pairs, tables), dict.fromkeys(pairs, comparison), absolute="first")
    assert set(many) == set(pairs)
    assert all(table.weights == pytest.approx(few[0, 1].weights) for table in many.values())


def test_arguments_that_do_not_fit() -> None:
    nothing = Comparison([], [], np.zeros((0, 2), np.int64))
    with pytest.raises(InputError, match="every view pair"):
        fuse({(0, 1): {}}, {})
    with pytest.raises(InputError, match="every view pair"):
        fuse({(0, 1): {}}, {(0, 1): nothing, (0, 2): nothing})
