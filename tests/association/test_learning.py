"""Tables that cannot die: whatever the load, a pair of views on a trusted floor can say "same person"."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from small_scenes import frames_of
from true_floors import true_floor

from selfmva import Associator, evaluate
from selfmva.association.learning import learn, learn_tables, with_live_tables
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.synchrony import SYNCHRONY, PairSynchrony
from selfmva.core.config import AssociatorConfig, GeometryRecipe
from selfmva.core.packed_boxes import pack
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.encoders.box import BoxEncoder
from selfmva.geometry.support import Support
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.fusion import MOST_BOX_PAIRS

if TYPE_CHECKING:
    from selfmva.geometry.floor import Floor


def trusted(floor: Floor) -> Floor:
    support = Support(100.0, 1.0, 2.0, 100.0, 1.0, 0.05, 100)
    return replace(floor, supports=dict.fromkeys(view_pairs(len(floor.views)), support))


def on_true_floor(recording: Simulated) -> FittedModel:
    return FittedModel(
        recording.views,
        AssociatorConfig(recipe=GeometryRecipe()),
        no_offsets(recording.views),
        floor=trusted(true_floor(recording)),
    )


def test_a_crowd_in_many_views_on_a_perfect_floor() -> None:
    """So many pairs of boxes that a load limit once left one instant to each pair of views, and no shifted one."""
    recording = Simulated(views=10, people=80, instants=20, seed=0, floor_width=30.0, floor_depth=22.0)
    frames = frames_of(recording)
    boxes = np.mean([frame.counts for frame in frames])
    assert 45 * boxes**2 > MOST_BOX_PAIRS
    learnt = learn(on_true_floor(recording), frames, None, trained_on=True)
    assert learnt.tables is not None
    assert all(table.largest > 0 for table in learnt.tables.values())
    scores = evaluate(Associator.from_model(learnt), recording)
    assert scores.average_precision > 0.9  # .013 when tables died


@pytest.mark.parametrize("on_floor", [True, False])
def test_on_a_trusted_floor_an_embedding_proves_itself_by_what_it_adds(on_floor: bool) -> None:
    """Held-out instants say nothing here; an encoder that was never trained adds nothing, and gets no weight."""
    recording = Simulated(views=3, people=5, instants=60, seed=0)
    model = on_true_floor(recording)
    encoder = BoxEncoder(recording.views, generator=torch.Generator().manual_seed(0))
    model = replace(model, encoder=encoder, floor=model.floor if on_floor else None)
    packed = pack(frames_of(recording), 3)
    nothing = np.zeros((SYNCHRONY.blocks, SYNCHRONY.shifts))
    unproven = dict.fromkeys(view_pairs(3), PairSynchrony(nothing, nothing))
    learnt, _ = learn_tables(model, packed, unproven, trained_on=False)
    assert learnt.tables is not None
    for table in learnt.tables.values():
        assert ("embedding" in table.tables) == on_floor
        assert table.weights.get("embedding", 0.0) == pytest.approx(0.0, abs=0.02)


def test_a_dead_table_is_logged_and_repaired(caplog: pytest.LogCaptureFixture) -> None:
    recording = Simulated(views=3, people=5, instants=60, seed=0)
    learnt = learn(on_true_floor(recording), frames_of(recording), None, trained_on=True)
    assert learnt.tables is not None
    assert with_live_tables(learnt) is learnt
    dead = replace(learnt.tables[0, 1], weights={"floor": 0.0}, bias=-LARGEST_LOG_ODDS)
    assert dead.largest < 0
    with caplog.at_level(logging.ERROR):
        repaired = with_live_tables(replace(learnt, tables=dict(learnt.tables) | {(0, 1): dead}))
    assert "camera0 and camera1 could never say 'same person'" in caplog.text
    assert repaired.tables is not None
    assert (repaired.tables[0, 1].weights, repaired.tables[0, 1].bias) == ({"floor": 1.0}, 0.0)
    assert repaired.tables[0, 2] is learnt.tables[0, 2]
    nowhere = replace(learnt, floor=None, tables=dict(learnt.tables) | {(0, 1): dead})
    assert with_live_tables(nowhere) is nowhere  # that two views have nothing in common is no error
