"""Appearance is learnt without labels; nothing is found where nothing is; wrong geometry is refuted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from selfmva.association.appearance import (
    AppearanceModel,
    OwnViews,
    PairEvidence,
    as_table,
    learn_appearance,
    stack_blocks,
)
from selfmva.association.appearance.densities import HIDDEN_FRACTION
from selfmva.association.appearance.em import EM
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS

GAP, SAME, OTHER, INSTANTS, PEOPLE = 0.3, 0.08, 0.1, 200, 4
NOBODY = OwnViews(np.zeros(0), np.zeros(0))


def true_pairs(rng: np.random.Generator, instants: int = INSTANTS) -> np.ndarray:
    """`(F, 4, 4)` who is who: everybody is seen by both views, in any order."""
    return np.eye(PEOPLE, dtype=bool)[np.argsort(rng.random((instants, PEOPLE)), axis=1)]


def apart(who: np.ndarray, rng: np.random.Generator, gap: float = GAP, strangers: float = 0.5) -> np.ndarray:
    """Distances of appearance."""
    return np.where(who, rng.normal(strangers - gap, SAME, who.shape), rng.normal(strangers, OTHER, who.shape))


def by_geometry(who: np.ndarray) -> np.ndarray:
    return np.where(who, 4.0, -4.0)


def one_view(rng: np.random.Generator, gap: float) -> OwnViews:
    return OwnViews(rng.normal(0.45 - 1.3 * gap, 0.05, 400), rng.normal(0.45, 0.1, 400))


def test_appearance_is_learnt_by_geometry() -> None:
    rng = np.random.default_rng(0)
    whos = {(0, 1): true_pairs(rng), (0, 2): true_pairs(rng)}
    shift = {(0, 1): 0.5, (0, 2): 0.6}  # each view pair has its own
    evidence = {
        pair: PairEvidence(apart(who, rng, strangers=shift[pair]), by_geometry(who), has_geometry=True)
        for pair, who in whos.items()
    }
    found = learn_appearance(evidence, NOBODY)
    assert found.model is not None
    assert found.refuted == frozenset()
    assert found.bias == {}
    assert found.model.gap == pytest.approx(GAP, abs=0.02)
    assert found.model.spread_same == pytest.approx(SAME, rel=0.1)
    assert found.model.spread_other == pytest.approx(OTHER, rel=0.1)
    assert found.model.strangers == pytest.approx(shift, abs=0.01)


def test_appearance_is_learnt_by_single_views() -> None:
    rng = np.random.default_rng(1)
    who = true_pairs(rng)
    found = learn_appearance({(0, 1): stack_blocks(list(apart(who, rng)), None)}, one_view(rng, GAP))
    assert found.model is not None
    assert found.model.gap == pytest.approx(GAP, abs=0.03)
    assert found.model.separation == pytest.approx(GAP / np.hypot(SAME, OTHER) * np.sqrt(2), rel=0.2)
    assert found.bias[0, 1] == pytest.approx(EM.largest_bias, abs=0.01)  # everybody has a partner


def test_people_whom_one_view_alone_sees_lower_the_bias() -> None:
    rng = np.random.default_rng(2)
    who = true_pairs(rng) & (rng.random((INSTANTS, PEOPLE, 1)) < 0.3)
    found = learn_appearance({(0, 1): stack_blocks(list(apart(who, rng)), None)}, one_view(rng, GAP))
    assert found.model is not None
    assert found.model.gap == pytest.approx(GAP, abs=0.05)
    assert found.bias[0, 1] < -1.0


@pytest.mark.parametrize("has_geometry", [True, False])
def test_uniforms_tell_nothing(has_geometry: bool) -> None:
    rng = np.random.default_rng(3)
    who = true_pairs(rng)
    distances = rng.normal(0.4, OTHER, who.shape)
    evidence = PairEvidence(
        distances, by_geometry(who) if has_geometry else np.zeros(who.shape), has_geometry=has_geometry
    )
    assert learn_appearance({(0, 1): evidence}, one_view(rng, 0.0)).model is None


def test_clothes_that_differ_in_one_view_alone_are_no_clothes() -> None:
    """Tracklets look alike, but nobody looks like themselves in the other view."""
    rng = np.random.default_rng(4)
    evidence = stack_blocks(list(rng.normal(0.5, OTHER, (INSTANTS, PEOPLE, PEOPLE))), None)
    assert learn_appearance({(0, 1): evidence}, one_view(rng, GAP)).model is None


def test_geometry_that_brings_strangers_together_is_refuted() -> None:
    rng = np.random.default_rng(5)
    right, wrong = true_pairs(rng), true_pairs(rng)
    same = true_pairs(rng)
    evidence = {
        (0, 1): PairEvidence(apart(right, rng), by_geometry(right), has_geometry=True),
        (0, 2): PairEvidence(apart(same, rng), by_geometry(wrong), has_geometry=True),
    }
    found = learn_appearance(evidence, NOBODY)
    assert found.refuted == {(0, 2)}
    assert set(found.bias) == {(0, 2)}
    assert found.model is not None
    assert found.model.gap == pytest.approx(GAP, abs=0.02)


def test_nothing_is_known_without_features() -> None:
    unknown = stack_blocks([np.full((2, 3), np.nan)] * 9, None)
    assert learn_appearance({(0, 1): unknown}, NOBODY).model is None
    assert learn_appearance({(0, 1): stack_blocks([], None)}, NOBODY).model is None
    assert learn_appearance({}, NOBODY).model is None


def test_log_ratio_is_that_of_normal_densities() -> None:
    model = AppearanceModel({(0, 1): 0.5}, GAP, 0.1, 0.1)
    distances = np.linspace(0.15, 0.55, 9)
    ratio = norm.pdf(distances, 0.5 - GAP, 0.1) / norm.pdf(distances, 0.5, 0.1)
    ratio = np.minimum(ratio, np.exp(LARGEST_LOG_ODDS))
    np.testing.assert_allclose(
        model.log_ratio((0, 1), distances), np.log((1 - HIDDEN_FRACTION) * ratio + HIDDEN_FRACTION), atol=1e-12
    )


@pytest.mark.parametrize("spreads", [(0.05, 0.12), (0.12, 0.05), (0.1, 0.1)])
def test_log_ratio_never_rises_and_is_what_its_table_says(spreads: tuple[float, float]) -> None:
    model = AppearanceModel({(0, 1): 0.5}, GAP, *spreads)
    distances = np.linspace(0, 2, 400)
    ratio = model.log_ratio((0, 1), distances)
    assert (np.diff(ratio) <= 1e-12).all()
    assert ratio[0] > 2
    assert ratio[-1] < -2
    np.testing.assert_allclose(as_table(model, (0, 1))(distances), ratio, atol=0.1)


def test_box_order_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    who = true_pairs(rng)
    distances = apart(who, rng)
    turn = rng.permutation(PEOPLE)
    own = one_view(rng, GAP)
    one, other = (
        learn_appearance({(0, 1): stack_blocks(list(blocks), None)}, own).model
        for blocks in (distances, distances[:, turn])
    )
    assert one is not None
    assert other is not None
    assert one.gap == pytest.approx(other.gap, rel=1e-9)
