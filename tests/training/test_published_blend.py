"""The published blend of geometry and re-ID: in matching, in training and in evaluation, against plain computations."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from small_scenes import flat, frames_of, scene

from selfmva.core.config import PublishedRecipe
from selfmva.core.packed_boxes import pack
from selfmva.core.types import Frame, View
from selfmva.encoders.box import BoxEncoder
from selfmva.errors import GeometryMissingWarning
from selfmva.matching.published import blended
from selfmva.metrics import PairResult, evaluate, score_pairs
from selfmva.training.recipes import published
from selfmva.training.recipes.published import PublishedObjective, match_images, triplet_terms

if TYPE_CHECKING:
    from selfmva import Associator
    from selfmva.datasets.simulated import Simulated
    from selfmva.metrics import AssociationScores

VIEWS = [View(f"v{k}", 1280, 720) for k in range(3)]
RNG = np.random.default_rng(0)


def plain_blend(geometry: np.ndarray, looks: np.ndarray, weight: float) -> np.ndarray:
    """Number by number."""
    result = np.empty(geometry.shape)
    for cell in np.ndindex(geometry.shape):
        result[cell] = (1 - weight) * geometry[cell] / geometry.max() + weight * looks[cell] / looks.max()
    return result


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def clothed(**options: float) -> Simulated:
    return scene(instants=40, clothes=2.0, **options)


def without_looks(frame: Frame) -> Frame:
    return replace(frame, features=None)


def with_unknown_looks(frame: Frame) -> Frame:
    return replace(frame, features=tuple(np.full_like(part, np.nan) for part in frame.features or ()))


def encoder() -> BoxEncoder:
    return BoxEncoder(VIEWS, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (5, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blend(weight: float, shape: tuple[int, int], dtype: type) -> None:
    geometry, looks = (RNG.uniform(0.1, top, shape).astype(dtype) for top in (40, 2))
    found = blended(geometry, looks, weight)
    assert (found.shape, found.dtype) == (shape, dtype)
    np.testing.assert_allclose(found, plain_blend(geometry, looks, weight), atol=2e-5)
    np.testing.assert_allclose(blended(9 * geometry, 0.1 * looks, weight), found, atol=2e-5)  # free of units


def test_blend_where_looks_are_not_known() -> None:
    geometry, looks = RNG.uniform(0, 40, (3, 4)), RNG.uniform(0, 2, (3, 4))
    looks[1, 2] = np.nan
    np.testing.assert_array_equal(blended(geometry, looks, 0.1), geometry)


@pytest.mark.parametrize("weight", [0.1, 0.6])
@pytest.mark.parametrize("sizes", [(1, 3), (4, 4), (6, 3)])
def test_matches_are_those_of_the_blend(weight: float, sizes: tuple[int, int]) -> None:
    changed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows, columns = (torch.from_numpy(rng.normal(size=(n, 8)).astype(np.float32)) for n in sizes)
        looks = rng.uniform(0, 2, sizes).astype(np.float32)
        costs = plain_blend(cdist(rows.numpy(), columns.numpy()), looks, weight)
        wanted = np.stack(linear_sum_assignment(costs), axis=1).tolist()
        assert match_images(rows, columns, 0.0, looks, weight).tolist() == wanted
        unknown = np.full_like(looks, np.nan)
        alone = match_images(rows, columns).tolist()
        assert match_images(rows, columns, 0.0, unknown, weight).tolist() == alone
        changed += alone != wanted
    assert changed > 0  # looks had a say


def test_the_similarity_threshold_is_that_of_the_blend() -> None:
    rows, columns = torch.tensor([[0.0, 0.0], [10.0, 0.0]]), torch.tensor([[0.0, 1.0], [10.0, 1.0]])
    looks = np.array([[0.1, 1.0], [1.0, 0.9]], np.float32)
    costs = plain_blend(torch.cdist(rows, columns).numpy(), looks, 0.9)
    similarity = 1 - costs / costs.max()
    assert similarity[0, 0] > 0.5 > similarity[1, 1]
    assert match_images(rows, columns, 0.5, looks, 0.9).tolist() == [[0, 0]]
    assert match_images(rows, columns, 0.5).tolist() == [[0, 0], [1, 1]]


def test_a_training_matches_by_the_blend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every matching of some steps is the optimal assignment of embeddings and unit features, and its loss follows."""
    recording, recipe, network = pack(frames_of(clothed()), 3), PublishedRecipe(appearance_fraction=0.4), encoder()
    assert recording.features is not None
    objective = PublishedObjective(recording, recipe, seed=1)
    terms = []

    def noted(*arguments: object, **options: object) -> object:
        terms.append((arguments, triplet_terms(*arguments, **options)))  # type: ignore[arg-type]
        return terms[-1][1]

    monkeypatch.setattr(published, "triplet_terms", noted)
    losses = [objective.loss(network, step) for step in range(12)]
    row_of = {tuple(box.tolist()): row for row, box in enumerate(recording.boxes)}
    differs = 0
    for (given, found), loss in zip(terms, [loss for loss in losses if loss is not None], strict=True):
        images, views = given[1:4], (given[4][0], given[4][1], given[4][1])
        with torch.no_grad():
            embedded = [
                network(boxes, torch.full((len(boxes),), view)).numpy()
                for boxes, view in zip(images, views, strict=True)
            ]
        looks = [recording.features[[row_of[tuple(box.tolist())] for box in boxes]] for boxes in images]
        for other, match in ((1, found.match_positive), (2, found.match_negative)):
            geometry = cdist(embedded[0], embedded[other])
            costs = plain_blend(geometry, cdist(looks[0], looks[other]), 0.4)
            assert match.tolist() == np.stack(linear_sum_assignment(costs), axis=1).tolist()
            differs += match.tolist() != np.stack(linear_sum_assignment(geometry), axis=1).tolist()
        assert loss.item() == pytest.approx(found.loss(recipe.margin).item())
    assert differs > 0


def losses(frames: list[Frame], **options: float) -> list[float | None]:
    objective = PublishedObjective(pack(frames, 3), PublishedRecipe(**options), seed=1)
    return [None if loss is None else loss.item() for loss in (objective.loss(encoder(), step) for step in range(12))]


def test_a_training_without_features_is_as_before() -> None:
    frames = frames_of(clothed())
    before = losses([without_looks(frame) for frame in frames])
    assert losses(frames, appearance_fraction=0.0) == before
    assert losses([with_unknown_looks(frame) for frame in frames]) == before
    assert losses(frames, appearance_fraction=0.4) != before


@pytest.fixture(scope="module")
def associator() -> Associator:
    recipe = {"recipe_options": {"epochs": 1, "appearance_fraction": 0.5}}
    with pytest.warns(GeometryMissingWarning):
        return flat("published", **recipe).fit(clothed())


def plain_scores(associator: Associator, weight: float) -> AssociationScores:
    """The published protocol, box by box."""
    results = []
    for index in clothed().splits["test"]:
        frame, identities = clothed().frame(index), clothed().identities(index)
        embedded = [associator.embed(v, np.maximum(np.trunc(b), 0)) for v, b in enumerate(frame.boxes)]
        looks = [unit(part) for part in frame.features or ()]
        for i, j in combinations(range(3), 2):
            if len(embedded[i]) and len(embedded[j]):
                costs = cdist(embedded[i], embedded[j])
                costs = plain_blend(costs, cdist(looks[i], looks[j]), weight) if weight else costs
                matches = np.stack(linear_sum_assignment(costs), axis=1)
                results.append(PairResult(1 - costs / (costs.max() + 1e-6), matches, identities[i], identities[j]))
    return score_pairs(results)


def numbers(scores: AssociationScores) -> list[float]:
    return [scores.average_precision, scores.precision, scores.recall, scores.f1]


def test_the_published_protocol_compares_by_the_blend(associator: Associator) -> None:
    found = evaluate(associator, clothed(), protocol="self-mva")
    assert numbers(found) == pytest.approx(numbers(plain_scores(associator, 0.5)), abs=1e-3)
    alone = plain_scores(associator, 0.0)
    assert found.average_precision > alone.average_precision + 0.05  # clothes tell a lot


@pytest.mark.parametrize("change", [without_looks, with_unknown_looks])
def test_the_published_protocol_without_features(associator: Associator, change: object) -> None:
    frames = [(change(clothed().frame(t)), clothed().identities(t)) for t in clothed().splits["test"]]  # type: ignore[operator]
    found = evaluate(associator, frames, protocol="self-mva")
    assert numbers(found) == pytest.approx(numbers(plain_scores(associator, 0.0)), abs=1e-3)


def test_the_blend_belongs_to_the_published_recipe() -> None:
    """Under another recipe the published protocol compares embeddings alone, to the last digit."""
    with pytest.warns(GeometryMissingWarning):
        other = flat("batch").fit(clothed())
    seen, bare = (
        [(change(clothed().frame(t)), clothed().identities(t)) for t in clothed().splits["test"]]
        for change in (lambda frame: frame, without_looks)
    )
    one, two = (evaluate(other, frames, protocol="self-mva") for frames in (seen, bare))
    assert numbers(one) == numbers(two)
