"""What synchronization says about an encoder, and the report about it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import ttest_1samp
from small_scenes import frames_of, short

from selfmva.association.fit_report import FitReport, PairReport, build_report
from selfmva.association.health.measure import look_at
from selfmva.association.learning import learn, learn_tables, partner_fractions
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.recording import CanonicalRecording
from selfmva.association.synchrony import (
    SYNCHRONY,
    PairSynchrony,
    measure_synchrony,
    pooled,
)
from selfmva.core.config import AssociatorConfig, BatchRecipe
from selfmva.core.packed_boxes import pack
from selfmva.core.types import Frame, View, reorder_views
from selfmva.core.view_pairs import view_pairs
from selfmva.encoders.box import BoxEncoder
from selfmva.matching.posterior.distance_table import DistanceTable
from selfmva.matching.posterior.fusion import FusedTable

if TYPE_CHECKING:
    from collections.abc import Sequence

VIEWS = [View(f"v{k}", 1000, 1000) for k in range(3)]


class ByPlace(BoxEncoder):
    """Sees through everything: the embedding of a box is its first corner, so that distances are known."""

    def forward(self, boxes: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        return boxes[:, :2]


def by_place(views: Sequence[View] = VIEWS) -> ByPlace:
    return ByPlace(views, generator=torch.Generator())


def walkers(instants: int, views: int, people: int, seed: int = 0, shared: bool = True) -> list[Frame]:
    """People who are elsewhere at every instant, at the same pixels in all views; or others in each view."""
    rng = np.random.default_rng(seed)
    frames = []
    for t in range(instants):
        corners = rng.integers(0, 900, (views, people, 2)).astype(np.float64)
        if shared:
            corners[:] = corners[:1]
        frames.append(Frame([np.concatenate((c, c + 50), axis=1) for c in corners], t))
    return frames


def test_an_encoder_that_knows_everything() -> None:
    measured = measure_synchrony(by_place(), pack(walkers(80, 3, 2), 3), np.arange(80), minimum_shift=5)
    assert set(measured) == set(view_pairs(3))
    for found in measured.values():
        assert found.accuracy == 1
        assert found.margin > SYNCHRONY.standard_errors


@pytest.mark.parametrize("seed", range(8))
def test_people_who_have_nothing_to_do_with_each_other(seed: int) -> None:
    frames = walkers(400, 2, 2, seed, shared=False)
    (found,) = measure_synchrony(by_place(VIEWS[:2]), pack(frames, 2), np.arange(400), 5).values()
    assert found.compared.sum() == 400 * 7
    assert found.accuracy == pytest.approx(0.5, abs=0.06)
    assert found.margin < SYNCHRONY.standard_errors


def test_instants_that_are_near_are_neither() -> None:
    """Of instants 0 to 7, only those five apart are compared."""
    frames = walkers(8, 2, 1)
    (found,) = measure_synchrony(by_place(VIEWS[:2]), pack(frames, 2), np.arange(8), minimum_shift=5).values()
    assert found.compared.sum() == sum(abs(s - t) >= 5 for t in range(8) for s in range(8))
    far = measure_synchrony(by_place(VIEWS[:2]), pack(frames, 2), 100 * np.arange(8), minimum_shift=5)
    assert far[0, 1].compared.sum() == 8 * 7


@given(instants=st.integers(0, 20), most=st.integers(0, 3), seed=st.integers(0, 999))
def test_values_by_plain_loops(instants: int, most: int, seed: int) -> None:
    """At most two sets of instants; each pair of instants of a set is looked at, and put where it belongs."""
    rng = np.random.default_rng(seed)
    corners = [[rng.uniform(0, 900, (rng.integers(0, most + 1), 2)) for _ in range(2)] for _ in range(instants)]
    frames = [Frame([np.concatenate((c, c + 9), axis=1) for c in views], t) for t, views in enumerate(corners)]
    (found,) = measure_synchrony(by_place(VIEWS[:2]), pack(frames, 2), np.arange(instants), 3).values()
    nearer, compared = np.zeros((8, 4)), np.zeros((8, 4))
    sets = max(instants // SYNCHRONY.blocks, 1)
    for first in range(sets):
        chosen = range(first, instants, sets)
        for s in chosen:
            distance = {}
            for t in chosen:
                costs = np.linalg.norm(corners[s][0][:, None] - corners[t][1][None], axis=2)
                if costs.size and (s == t or abs(s - t) >= 3):
                    distance[t] = costs[linear_sum_assignment(costs)].mean()
            if s in distance:
                for t in set(distance) - {s}:
                    place, other = chosen.index(s), chosen.index(t)
                    apart = min((place - other) % len(chosen), (other - place) % len(chosen))
                    cell = (8 * place // len(chosen), 4 * (apart - 1) // (len(chosen) // 2))
                    nearer[cell] += distance[s] < distance[t]
                    compared[cell] += 1
    np.testing.assert_array_equal(found.compared, compared)
    np.testing.assert_allclose(found.nearer, nearer)


def test_ties_count_half() -> None:
    still = [Frame([[[0, 0, 9, 9]], [[0, 0, 9, 9]]], t) for t in range(40)]
    (found,) = measure_synchrony(by_place(VIEWS[:2]), pack(still, 2), np.arange(40), 5).values()
    assert found.accuracy == 0.5
    assert found.margin == 0


def test_a_long_recording_is_looked_at_in_parts() -> None:
    frames = walkers(1300, 2, 1)
    (found,) = measure_synchrony(by_place(VIEWS[:2]), pack(frames, 2), np.arange(1300), 5).values()
    assert found.compared.sum() == 1000 * 7


def test_the_margin_is_that_of_the_worst_distance_over_blocks() -> None:
    rng = np.random.default_rng(0)
    compared = rng.integers(1, 9, (SYNCHRONY.blocks, SYNCHRONY.shifts)).astype(np.float64)
    nearer = rng.integers(0, compared + 1).astype(np.float64)
    by_scipy = [ttest_1samp(column, 0.5).statistic for column in (nearer / compared).T]
    assert PairSynchrony(nearer, compared).margin == pytest.approx(min(by_scipy))
    assert PairSynchrony(nearer, compared).accuracy == pytest.approx(nearer.sum() / compared.sum())


def test_what_repeats_itself_is_nothing_learnt() -> None:
    """Images that look the same half a recording later tell instants apart, but not these."""
    nearer = np.ones((SYNCHRONY.blocks, SYNCHRONY.shifts))
    assert PairSynchrony(nearer, np.ones_like(nearer)).margin > SYNCHRONY.standard_errors
    nearer[:, 3] = [1, 0, 1, 0, 1, 0, 1, 0]
    assert PairSynchrony(nearer, np.ones_like(nearer)).margin == 0


def test_few_blocks_prove_nothing() -> None:
    compared = np.zeros((SYNCHRONY.blocks, SYNCHRONY.shifts))
    compared[:3] = 1.0
    assert PairSynchrony(compared, compared).margin == 0
    assert PairSynchrony(compared, compared).accuracy == 1
    nothing = PairSynchrony(np.zeros_like(compared), np.zeros_like(compared))
    assert (math.isnan(nothing.accuracy), nothing.margin) == (True, 0)


def model_of(encoder: BoxEncoder, views: Sequence[View] = VIEWS, minimum_shift: int = 5) -> FittedModel:
    """An encoder without a floor, before anything is known of distances."""
    config = AssociatorConfig(recipe=BatchRecipe(minimum_shift=minimum_shift))
    return FittedModel(tuple(views), config, no_offsets(views), encoder)


def report_on(model: FittedModel) -> FitReport:
    assert model.report is not None
    return model.report


def true_fraction(found: FittedModel, pair: tuple[int, int]) -> float:
    """Of true pairs, by the embedding."""
    assert found.tables is not None
    table = found.tables[pair].tables.get("embedding")
    return 0.0 if table is None else table.true_fraction


def test_evidence_of_a_pair_that_is_no_better_than_chance_is_none() -> None:
    """Views 0 and 1 see the same people, view 2 sees others."""
    shared, others = walkers(150, 2, 2), walkers(150, 1, 2, seed=5)
    frames = [Frame([*a.boxes, *b.boxes], a.index) for a, b in zip(shared, others, strict=True)]
    found = learn(model_of(by_place()), frames, None, trained_on=False)
    tables, report = found.tables, report_on(found)
    assert tables is not None
    assert true_fraction(found, (0, 1)) == pytest.approx(0.5, abs=0.1)
    at_zero = {"embedding": np.zeros(())}
    assert tables[0, 1](at_zero) > 3
    for pair in ((0, 2), (1, 2)):
        assert true_fraction(found, pair) == 0
        assert tables[pair](at_zero) < -3
    assert report.better_than_chance
    assert [pair.partner_fraction for pair in report.pairs] == pytest.approx([1.0, 0.0, 0.0], abs=0.2)


def test_whatever_its_distances_say(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = walkers(60, 2, 2)
    model = model_of(by_place(VIEWS[:2]), VIEWS[:2])
    assert true_fraction(learn(model, frames, None, trained_on=False), (0, 1)) > 0.3
    monkeypatch.setattr(PairSynchrony, "margin", 0.0)
    assert true_fraction(learn(model, frames, None, trained_on=False), (0, 1)) == 0


def test_a_report_speaks_of_what_was_held_out() -> None:
    frames = walkers(100, 2, 1)
    kept = np.arange(80, 100)
    model = model_of(by_place(VIEWS[:2]), VIEWS[:2])
    report = report_on(learn(model, frames, None, trained_on=True, held_out=kept))
    assert (report.held_out, report.instants) == (True, 20)
    report = report_on(learn(model, frames, None, trained_on=True, held_out=kept[:0]))
    assert (report.held_out, report.instants) == (False, 100)
    assert "on 100 training instants" in report.summary()


def synchrony(accuracy: Sequence[float]) -> PairSynchrony:
    """Of some blocks, the same at every distance."""
    compared = np.zeros((SYNCHRONY.blocks, SYNCHRONY.shifts))
    compared[: len(accuracy)] = 1.0
    nearer = np.zeros_like(compared)
    nearer[: len(accuracy)] = np.array(accuracy, dtype=np.float64)[:, None]
    return PairSynchrony(nearer, compared)


def report_of(*accuracies: Sequence[float]) -> FitReport:
    pairs = view_pairs(3)[: len(accuracies)]
    measured = {pair: synchrony(accuracy) for pair, accuracy in zip(pairs, accuracies, strict=True)}
    return build_report(VIEWS, measured, dict.fromkeys(pairs, 0.8), None, {}, instants=9, held_out=True)


def test_a_report_pools_its_pairs() -> None:
    accuracies = [1.0, 0.5, 0.75, 1.0], [0.5, 0.75, 0.5, 0.5]
    report = report_of(*accuracies)
    assert report.synchronization_accuracy == pytest.approx(0.6875)
    assert [pair.synchronization_accuracy for pair in report.pairs] == pytest.approx([0.8125, 0.5625])
    assert [(pair.view_i, pair.view_j) for pair in report.pairs] == [("v0", "v1"), ("v0", "v2")]
    # View pairs of one block are not independent: 4 blocks, not 8.
    assert report.synchronization_margin == pytest.approx(ttest_1samp(np.mean(accuracies, axis=0), 0.5).statistic)
    assert [pair.partner_fraction for pair in report.pairs] == [0.8, 0.8]


def test_fractions_of_partners_are_of_boxes() -> None:
    """Two see 4 people each, 3 of them the same, at most instants of a long recording; a third sees nobody then."""
    places = np.array([[[0, 0], [200, 0], [400, 0], [600, 0]], [[0, 0], [200, 0], [400, 0], [0, 600]]], np.float64)
    both = [np.concatenate([corners, corners + 50], axis=1) for corners in places]
    frames = [Frame([*both, []] if t % 3 else [[], [], both[0]], t) for t in range(2000)]
    table = FusedTable(
        {"embedding": DistanceTable(np.array([0.0, 1.0]), np.array([7.0, -7.0]), 0.5)}, {"embedding": 1.0}, 0.0
    )
    model = replace(model_of(by_place()), tables=dict.fromkeys(view_pairs(3), table))
    found = partner_fractions(look_at(model, frames))
    assert found[0, 1] == pytest.approx(0.75, abs=0.01)
    assert (found[0, 2], found[1, 2]) == (0.0, 0.0)


def make_report(accuracy: float, margin: float) -> FitReport:
    pair = PairReport("<i>", "b", 0.25, accuracy)
    return FitReport((pair,), accuracy, margin, 0.5, 12, True, 3.0)


@pytest.mark.parametrize(
    ("accuracy", "margin", "better"), [(0.9, 3.1, True), (0.9, 2.9, False), (0.5, 0.0, False), (math.nan, 0.0, False)]
)
def test_better_than_chance_is_three_standard_errors(accuracy: float, margin: float, better: bool) -> None:
    report = make_report(accuracy, margin)
    assert report.better_than_chance is better
    if not math.isnan(accuracy):
        assert ("not better than chance" in report.summary()) is not better


def test_a_report_in_words() -> None:
    report = make_report(0.875, 9.0)
    assert report.summary() == (
        "no geometry was found; for the embedding, the synchronous image is nearer than a shifted one in 87.5% of the "
        "comparisons on 12 held-out instants, better than chance (50%)"
    )
    assert "<i> | b | not found | no | - | - | 25% | 87.5%" in repr(report)
    assert "&lt;i&gt;" in report._repr_html_()
    assert "<i>" not in report._repr_html_()
    assert "nothing could be compared" in make_report(math.nan, 0.0).summary()


@pytest.mark.parametrize("accuracy", [0.875, math.nan])
def test_a_report_survives_json(accuracy: float) -> None:
    report = make_report(accuracy, 8.0)
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert repr(FitReport.from_dict(json.loads(text))) == repr(report)
    assert json.loads(text)["better_than_chance"] is report.better_than_chance


def learnt_in_canonical_order(model: FittedModel, frames: list[Frame]) -> FittedModel:
    """As `adapt` learns."""
    recording = CanonicalRecording.of(model.views, frames, model.config)
    learnt = learn(model.reordered(recording.order), recording.frames, None, trained_on=True)
    return learnt.reordered(recording.places)


def test_noise_depends_on_nothing_but_the_boxes() -> None:
    """Listing the cameras differently gives the same tables under a real encoder."""
    recording = short()
    frames = frames_of(recording)
    encoder = BoxEncoder(recording.views, generator=torch.Generator().manual_seed(0))
    model, order = model_of(encoder, recording.views, minimum_shift=1), [2, 0, 1]
    plain = learnt_in_canonical_order(model, frames)
    other = learnt_in_canonical_order(model.reordered(order), [reorder_views(frame, order) for frame in frames])
    assert plain.tables is not None
    assert other.tables is not None
    assert other.views == tuple(recording.views[k] for k in order)
    assert set(other.tables) == set(view_pairs(3))
    for (i, j), found in other.tables.items():
        own = plain.tables[min(order[i], order[j]), max(order[i], order[j])]
        assert set(found.tables) == set(own.tables)
        for name, table in found.tables.items():
            np.testing.assert_allclose(table.log_odds, own.tables[name].log_odds, atol=1e-3)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_trusted_geometry_vouches_for_a_pair(trusted: bool) -> None:
    """All pairs together miss three standard errors; one of them has more than two."""
    weak, better = [0.7, 0.3, 0.6, 0.5, 0.4, 0.5, 0.6, 0.4], [0.7, 0.6, 0.9, 0.4, 0.7, 0.6, 0.7, 0.6]
    measured = {(0, 1): synchrony(better), (0, 2): synchrony(weak), (1, 2): synchrony(weak)}
    assert measured[0, 1].margin > SYNCHRONY.standard_errors_of_a_pair > measured[0, 2].margin
    assert pooled(measured.values()).margin < SYNCHRONY.standard_errors
    model = replace(model_of(by_place()), lines=dict.fromkeys(measured, np.eye(3)) if trusted else {})
    learnt, _ = learn_tables(model, pack(walkers(60, 3, 2), 3), measured, trained_on=False)
    assert learnt.tables is not None
    assert ["embedding" in learnt.tables[pair].tables for pair in measured] == [trusted, False, False]
