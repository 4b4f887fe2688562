"""Appearance as a cue: worthless where all look alike, decisive where geometry is weak, and saved with the rest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from selfmva import Associator
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.errors import AppearanceMissingWarning, InputError
from selfmva.metrics import evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.metrics import AssociationScores

RECIPE = {"name": "batch", "steps": 20, "instants": 8}


pytestmark = [
    pytest.mark.filterwarnings("ignore::selfmva.errors.GeometryMissingWarning"),
    pytest.mark.filterwarnings("ignore::selfmva.errors.LearntNothingWarning"),
]


@cache
def weak(clothes: float | None) -> tuple[Associator, AssociationScores]:
    """Three views of 25 instants, whose floor is not looked for: next to no geometry."""
    scene = Simulated(views=3, people=6, instants=25, seed=2, clothes=clothes)
    associator = Associator(recipe=RECIPE, geometry={"floor": False}).fit(scene)
    return associator, evaluate(associator, scene)


def test_uniforms_cost_nothing() -> None:
    """The target of the project is a loss of at most 0.01."""
    assert weak(0.0)[1].average_precision >= weak(None)[1].average_precision - 0.01
    assert np.isnan(weak(0.0)[0].fit_report_.appearance)


def test_clothes_decide_where_geometry_is_weak() -> None:
    """The target of the project is a gain of at least 0.2."""
    associator, scores = weak(2.0)
    assert scores.average_precision >= weak(None)[1].average_precision + 0.2
    assert associator.fit_report_.appearance > 1
    assert "looks more alike" in associator.fit_report_.summary()


def saved(associator: Associator, folder: Path) -> Path:
    associator.save_pretrained(folder)
    return folder


def test_boxes_without_features_fall_back_to_geometry(tmp_path: Path) -> None:
    associator, _ = weak(2.0)
    frame = Simulated(views=3, people=6, instants=25, seed=2, clothes=2.0).frame(22)
    bare = replace(frame, features=None)
    hidden = replace(frame, features=[np.full_like(part, np.nan) for part in frame.features or ()])
    other = associator.associate(hidden)
    with pytest.warns(AppearanceMissingWarning, match="comes without features, although appearance was learnt"):
        one = Associator.from_pretrained(saved(associator, tmp_path)).associate(bare)
    for pair, probability in one.probabilities.items():
        np.testing.assert_allclose(probability, other.probabilities[pair], atol=1e-12)


def test_saved_and_loaded(tmp_path: Path) -> None:
    associator, _ = weak(2.0)
    frame = Simulated(views=3, people=6, instants=25, seed=2, clothes=2.0).frame(22)
    loaded = Associator.from_pretrained(saved(associator, tmp_path))
    assert loaded.appearance_ == associator.appearance_ == "frames"
    for pair, probability in associator.associate(frame).probabilities.items():
        np.testing.assert_array_equal(probability, loaded.associate(frame).probabilities[pair])
    assert loaded.fit_report_.to_dict() == associator.fit_report_.to_dict()


def test_features_scaled_are_the_same_features() -> None:
    associator, _ = weak(2.0)
    frame = Simulated(views=3, people=6, instants=25, seed=2, clothes=2.0).frame(22)
    larger = replace(frame, features=[7 * part for part in frame.features or ()])
    for pair, probability in associator.associate(frame).probabilities.items():
        np.testing.assert_allclose(probability, associator.associate(larger).probabilities[pair], atol=1e-5)


def test_features_of_two_lengths_are_refused() -> None:
    boxes = [[[5, 5, 50, 90]], [[5, 5, 50, 90]]]
    frames = [Frame(boxes, t, features=[np.ones((1, 3 + t // 8))] * 2) for t in range(16)]
    with pytest.raises(InputError, match=r"features of all frames must be as long, got \[3, 4\]"):
        Associator(recipe=RECIPE).fit([(640, 480)] * 2, frames)
