"""Edges of frames: all pairs of boxes that the tables give enough, whatever cues a model has; what is kept of them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from small_scenes import fitted_on_a_floor, scene
from true_floors import true_floor, without

from selfmva.association.cues import cues_of, frame_distances
from selfmva.association.cues.appearance import AppearanceCue
from selfmva.association.cues.base import batch_of_frames
from selfmva.association.cues.head_lines import HeadLinesCue
from selfmva.association.frame_edges import find_edges
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.probabilities import EdgeProbabilities
from selfmva.association.streaming import associate_frames
from selfmva.core.config import AssociatorConfig, GeometryRecipe
from selfmva.core.types import Frame, clip_to_views
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, DistanceTable
from selfmva.matching.posterior.edges import EDGES
from selfmva.matching.posterior.fusion import FusedTable

FLOOR = DistanceTable(np.linspace(0.0, 9.0, 40), 8.0 - 0.5 * np.linspace(0.0, 9.0, 40) ** 2, 0.5)
FALLING = DistanceTable(np.array([0.0, 1.0, 3.0]), np.array([4.0, 0.0, -5.0]), 0.5)


def rig(name: str) -> tuple[FittedModel, list[Frame]]:
    """Models with different cues, on three views that hang around a floor, and frames with features."""
    recording = scene(people=8, clothes=1.0)
    frames = [clip_to_views(recording.frame(t), recording.views) for t in range(0, 60, 7)]
    frames[2] = Frame((*frames[2].boxes[:2], None), frames[2].index)  # nobody, and no features
    floor = true_floor(recording)
    matrix = np.random.default_rng(0).normal(size=(3, 3))
    pairs = view_pairs(3)
    floors = {pair: FusedTable({"floor": FLOOR}, {"floor": 1.0}, 0.0) for pair in pairs}
    looks = {pair: FusedTable({"appearance": FALLING}, {"appearance": 1.0}, -1.0) for pair in pairs}
    both = {
        pair: FusedTable({"floor": FLOOR, "appearance": FALLING}, {"floor": 1.0, "appearance": 1.0}, 0.0)
        for pair in pairs
    }
    nothing = FusedTable({}, {}, -LARGEST_LOG_ODDS - 2.0)
    lines = FusedTable({"head_lines": FALLING}, {"head_lines": 1.0}, -0.5)
    model = FittedModel(recording.views, AssociatorConfig(recipe=GeometryRecipe()), no_offsets(recording.views))
    models = {
        "floor": replace(model, floor=floor, tables=floors),
        "a view off the floor": replace(
            model, floor=without(floor, 2), lines={(0, 2): matrix}, tables=floors | {(0, 2): lines, (1, 2): nothing}
        ),
        "appearance": replace(model, appearance="frames", tables=looks),
        "floor and appearance": replace(model, floor=floor, appearance="frames", tables=both),
        "nothing": replace(model, tables=dict.fromkeys(pairs, nothing)),
    }
    return models[name], frames


RIGS = ("floor", "a view off the floor", "appearance", "floor and appearance", "nothing", "trained")


@pytest.fixture(params=RIGS)
def learnt(request: pytest.FixtureRequest) -> tuple[FittedModel, list[Frame]]:
    """A model and clipped frames of its cameras."""
    if request.param != "trained":
        return rig(request.param)
    associator, recording = fitted_on_a_floor()
    return associator.model_, [clip_to_views(recording.frame(t), recording.views) for t in range(240, 246)]


def dense_log_odds(model: FittedModel, frames: list[Frame]) -> np.ndarray:
    """`(M, M)` of all boxes of all frames, -inf where two boxes are no pair."""
    size = sum(sum(frame.counts) for frame in frames)
    result, first = np.full((size, size), -np.inf), 0
    for frame, distances in zip(frames, frame_distances(model, frames), strict=True):
        ends = np.cumsum(frame.counts)
        for i, j in view_pairs(len(frame)):
            own = (slice(ends[i] - frame.counts[i], ends[i]), slice(ends[j] - frame.counts[j], ends[j]))
            place = tuple(slice(first + part.start, first + part.stop) for part in own)
            result[place] = model.tables[i, j]({name: matrix[own] for name, matrix in distances.items()})  # type: ignore[index]
        first += ends[-1]
    return result


def test_edges_are_all_pairs_with_enough_log_odds(learnt: tuple[FittedModel, list[Frame]]) -> None:
    model, frames = learnt
    edges, log_odds = find_edges(model, frames)
    wanted = dense_log_odds(model, frames)
    near = wanted > EDGES.least_log_odds
    # Those on the very edge may be rounded to either side.
    sure = near & (wanted > EDGES.least_log_odds + 1e-4)
    found = np.zeros_like(near)
    found[edges.first, edges.second] = True
    assert not (sure & ~found).any()
    assert not (found & (wanted < EDGES.least_log_odds - 1e-4)).any()
    np.testing.assert_allclose(log_odds, wanted[edges.first, edges.second], atol=1e-3)
    order = edges.first * len(found) + edges.second
    assert (np.diff(order) > 0).all()


def test_every_cue_tells_pairs_as_it_tells_blocks(learnt: tuple[FittedModel, list[Frame]]) -> None:
    model, frames = learnt
    batch, _ = batch_of_frames(frames)
    rows = np.arange(len(batch.boxes))
    first, second = np.array([(a, b) for a in rows for b in rows[:: max(len(rows) // 25, 1)]]).T
    for cue in cues_of(model):
        readings = cue.read(batch)
        every = cue.distances(readings[0 : len(rows)], readings[0 : len(rows)])
        np.testing.assert_allclose(cue.distances_of_pairs(readings, first, second), every[first, second], atol=2e-3)


def test_these_rigs_have_all_cues() -> None:
    models = [rig(name)[0] for name in RIGS[:-1]] + [fitted_on_a_floor()[0].model_]
    assert {cue.name for model in models for cue in cues_of(model)} == {
        "embedding",
        "floor",
        "head_lines",
        "appearance",
    }
    assert isinstance(cues_of(rig("appearance")[0])[0], AppearanceCue)
    assert any(isinstance(cue, HeadLinesCue) for cue in cues_of(rig("a view off the floor")[0]))


def test_a_chunk_is_what_its_frames_are(learnt: tuple[FittedModel, list[Frame]]) -> None:
    model, frames = learnt
    for frame, together in zip(frames, associate_frames(model, frames), strict=True):
        (alone,) = associate_frames(model, [frame])
        for pair in view_pairs(len(frame)):
            np.testing.assert_allclose(alone.probability(*pair), together.probability(*pair), atol=1e-4)
        np.testing.assert_array_equal(np.concatenate(alone.ids), np.concatenate(together.ids))


def test_only_the_local_cue_finds_near_boxes() -> None:
    model, frames = rig("appearance")
    batch, _ = batch_of_frames(frames)
    (cue,) = cues_of(model)
    with pytest.raises(NotImplementedError, match="the cue appearance finds no near boxes by itself"):
        cue.pairs_within(cue.read(batch), batch.view, batch.view, 1.0)


def test_probabilities_are_made_when_asked_for() -> None:
    found = EdgeProbabilities(np.array([0, 0, 1, 2]), np.array([2, 4, 5, 5]), np.array([0.9, 0.3, 0.2, 0.6]), (2, 2, 2))
    again = pickle.loads(pickle.dumps(found))  # noqa: S301  # our own
    for mapping in (found, again):
        assert list(mapping) == [(0, 1), (0, 2), (1, 2)]
        assert len(mapping) == 3
        assert mapping[0, 1].tolist() == [[0.9, 0.0], [0.0, 0.0]]
        assert mapping[0, 2].tolist() == [[0.3, 0.0], [0.0, 0.2]]
        assert mapping[1, 2].tolist() == [[0.0, 0.6], [0.0, 0.0]]
        assert mapping[1, 2] is mapping[1, 2]
        assert (1, 0) not in mapping
        assert (0, 3) not in mapping
        with pytest.raises(KeyError):
            mapping[2, 1]
