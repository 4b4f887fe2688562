"""`recipe="auto"`: an embedding is trained where geometry leaves something open, and the report says why."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_scenes import fit_quietly, scene
from true_floors import true_floor, without

from selfmva import Associator
from selfmva.association.cues import frame_distances
from selfmva.association.embedding_choice import CHOICE, EmbeddingChoice, choose_embedding, open_fraction
from selfmva.association.model import FittedModel, no_offsets
from selfmva.core.config import AssociatorConfig, AutoRecipe, BatchRecipe, GeometryRecipe, PublishedRecipe
from selfmva.core.packed_boxes import pack
from selfmva.datasets.simulated import Simulated
from selfmva.errors import NotFittedError
from selfmva.geometry.floor import Floor
from selfmva.geometry.support import Support
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.matching.posterior.posterior import posteriors
from selfmva.training.pseudo_labels import floor_table

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva import Frame


@cache
def people(count: int) -> tuple[Simulated, list[Frame]]:
    """So many on six by four metres."""
    recording = Simulated(views=3, people=count, instants=40, seed=0, floor_width=6.0, floor_depth=4.0)
    return recording, [recording.frame(t) for t in range(len(recording))]


def supported(floor: Floor, residual: float) -> Floor:
    """Trusted throughout, with this error."""
    support = Support(100.0, 1.0, 2.0, 100.0, 1.0, residual, 100)
    assert support.trusted
    views = len(floor.views)
    return Floor(floor.views, floor.cameras, {(i, j): support for j in range(views) for i in range(j)}, floor.unit)


def choose(count: int, residual: float) -> EmbeddingChoice:
    recording, frames = people(count)
    return choose_embedding(recording.views, frames, supported(true_floor(recording), residual), AutoRecipe())


@pytest.mark.parametrize(
    ("recipe", "train"), [(BatchRecipe(), True), (PublishedRecipe(), True), (GeometryRecipe(), False)]
)
def test_other_recipes_have_decided(recipe: Any, train: bool) -> None:
    recording, frames = people(2)
    for floor in (None, supported(true_floor(recording), 0.05)):
        assert choose_embedding(recording.views, frames, floor, recipe) == (train, "")


def test_views_without_geometry_need_an_embedding() -> None:
    recording, frames = people(2)
    train, reason = choose_embedding(recording.views, frames, None, AutoRecipe())
    assert train
    assert reason == "an embedding was trained: no two views are on a common floor"
    floor = without(supported(true_floor(recording), 0.05), 2, 0)
    train, reason = choose_embedding(recording.views, frames, floor, AutoRecipe())
    assert train
    assert reason == "an embedding was trained: camera0, camera2 not on the common floor"


def test_an_embedding_is_trained_where_a_floor_is_imprecise_and_leaves_much_open() -> None:
    few, many = 2, 40
    assert open_fraction(true_floor(people(few)[0]), people(few)[1]) < CHOICE.open
    assert open_fraction(true_floor(people(many)[0]), people(many)[1]) > CHOICE.open
    assert [choose(count, residual).train for count in (few, many) for residual in (0.08, 0.2)] == [
        False,
        False,
        False,  # a crowd, in places that are known well
        True,
    ]
    assert choose(few, 0.2).reason.startswith("no embedding was trained: all views are on one floor, good to 0.20")
    assert choose(many, 0.2).reason.startswith(
        "an embedding was trained: all views are on one floor, good to 0.20 body"
    )


def test_what_is_open_by_the_associations_of_a_floor() -> None:
    recording, frames = people(12)
    floor = true_floor(recording)
    table = FusedTable({"floor": floor_table(floor, pack(frames, 3))}, {"floor": 1.0}, 0.0)
    model = FittedModel(
        recording.views,
        AssociatorConfig(),
        no_offsets(recording.views),
        floor=floor,
        tables=dict.fromkeys([(0, 1), (0, 2), (1, 2)], table),
    )
    assert model.tables is not None
    counts = np.array([frame.counts for frame in frames])
    probabilities = posteriors(frame_distances(model, frames), counts, model.tables)
    wanted = (probabilities * (1 - probabilities)).sum() / probabilities.sum()
    assert open_fraction(floor, frames) == pytest.approx(wanted, rel=1e-6)
    assert open_fraction(floor, []) == 0.0


def test_the_default_trains_nothing_on_one_floor(tmp_path: Path) -> None:
    recording = Simulated(views=3, people=5, instants=300, seed=0)
    associator = Associator().fit(recording)
    assert associator.encoder_ is None
    assert "no embedding was trained: all views are on one floor" in associator.fit_report_.summary()
    with pytest.raises(NotFittedError, match=r"recipe 'auto'.*recipe='batch'"):
        associator.embed(0, [[0, 0, 5, 5]])
    associator.save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    assert loaded.get_params()["recipe"] == AutoRecipe()
    assert loaded.encoder_ is None
    assert repr(loaded.fit_report_) == repr(associator.fit_report_)


def test_the_default_trains_where_there_is_no_floor(tmp_path: Path) -> None:
    associator = Associator(recipe={"name": "auto", "steps": 12, "instants": 6}, geometry={"floor": False})
    fit_quietly(associator, scene())
    assert associator.encoder_ is not None
    assert "an embedding was trained: no two views are on a common floor" in associator.fit_report_.summary()
    assert associator.fit_report_.embedding
    associator.save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    boxes = [[10.0, 10, 60, 160]]
    np.testing.assert_array_equal(loaded.embed(0, boxes), associator.embed(0, boxes))


def test_the_same_embedding_as_of_the_batch_recipe() -> None:
    one, other = (
        fit_quietly(Associator(recipe={"name": name, "steps": 12, "instants": 6}, geometry={"floor": False}), scene())
        for name in ("auto", "batch")
    )
    boxes = [[10.0, 10, 60, 160]]
    np.testing.assert_array_equal(one.embed(0, boxes), other.embed(0, boxes))
    assert other.fit_report_.decision == ""
