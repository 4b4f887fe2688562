"""Children among grown-ups, and grown-ups behind furniture: short boxes of either are read as what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from selfmva import Associator
from selfmva.association.pretrained.files import config_digest
from selfmva.core.packed_boxes import pack
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.floor_likelihood import LIKELIHOOD, log_odds_of_visible_feet
from selfmva.geometry.statures import learn_statures

if TYPE_CHECKING:
    from pathlib import Path

LEARNT, SEEN = 150, 50  # instants


@cache
def scene(children: float = 0.5, furniture: int = 0) -> Simulated:
    return Simulated(
        views=3, people=8, instants=LEARNT + SEEN, seed=2, children=children, furniture=furniture, standing=False
    )


@cache
def fitted(children: float = 0.5, furniture: int = 0) -> Associator:
    recording = scene(children, furniture)
    frames = [recording.frame(t) for t in range(LEARNT)]
    return Associator(recipe="geometry", seed=0).fit(recording.views, frames)


def recall(associator: Associator, recording: Simulated, people: set[int]) -> float:
    """Of the pairs of boxes of some people in two views, which fraction is found."""
    found = wanted = 0
    for t in range(LEARNT, LEARNT + SEEN):
        association, who = associator.associate(recording.frame(t)), recording.identities(t)
        for i, j in view_pairs(len(recording.views)):
            wanted += len(set(who[i].tolist()) & set(who[j].tolist()) & people)
            found += sum(who[i][a] == who[j][b] and who[i][a] in people for a, b in association.matches(i, j))
    return found / wanted


def test_children_are_found_as_grown_ups_are() -> None:
    recording = scene()
    heights = recording._heights
    small = set(np.flatnonzero(heights < 1.4).tolist())
    tall = set(range(len(heights))) - small
    associator = fitted()
    assert recall(associator, recording, small) > 0.95 * recall(associator, recording, tall) > 0.8
    blind = fitted().floor_
    assert blind is not None
    assert blind.statures is not None
    # Without what was learnt, their feet are taken for hidden ones.
    boxes = pack([recording.frame(t) for t in range(30)], 3)
    short = blind.read(boxes.boxes.astype(float), boxes.view)
    unlearnt = replace(blind, statures=None).read(boxes.boxes.astype(float), boxes.view)
    child = (short.log_stature < -0.25) & (short.log_stature > -0.7) & short.foot_on_floor
    assert child.sum() > 10
    assert np.median(unlearnt.visible[child]) < 0.2
    assert np.median(short.visible[child]) > 0.5


def test_grown_ups_alone_teach_nothing() -> None:
    floor = fitted(0.0).floor_
    assert floor is not None
    frames = [scene(0.0).frame(t) for t in range(LEARNT)]
    learnt = learn_statures(floor, pack(frames, 3))
    if learnt is not None:
        unlearnt = log_odds_of_visible_feet(LIKELIHOOD.statures)
        assert (learnt >= unlearnt).all()
        assert learnt[LIKELIHOOD.statures < -0.35].max() < 0


def test_feet_behind_furniture_are_not_taken_for_those_of_children() -> None:
    floor = fitted(0.0, 4).floor_
    assert floor is not None
    frames = [scene(0.0, 4).frame(t) for t in range(LEARNT)]
    learnt = learn_statures(floor, pack(frames, 3))
    if learnt is not None:
        assert learnt[LIKELIHOOD.statures < -0.35].max() < 0


def test_nothing_is_learnt_without_a_trusted_pair() -> None:
    floor = fitted().floor_
    assert floor is not None
    frames = [scene().frame(t) for t in range(LEARNT)]
    assert learn_statures(replace(floor, supports={}), pack(frames, 3)) is None
    assert learn_statures(floor, pack([], 3)) is None


def test_the_order_of_boxes_changes_nothing() -> None:
    floor = fitted().floor_
    assert floor is not None
    frames = [scene().frame(t) for t in range(40)]
    turned = [replace(frame, boxes=tuple(boxes[::-1] for boxes in frame.boxes)) for frame in frames]
    one, other = (learn_statures(floor, pack(some, 3)) for some in (frames, turned))
    assert one is not None
    np.testing.assert_array_equal(one, other)


def test_what_was_learnt_is_kept(tmp_path: Path) -> None:
    associator = fitted()
    associator.save_pretrained(tmp_path / "rig")
    again = Associator.from_pretrained(tmp_path / "rig")
    assert again.floor_ is not None
    assert associator.floor_ is not None
    np.testing.assert_array_equal(again.floor_.statures, associator.floor_.statures)
    frame = scene().frame(LEARNT)
    for ids, expected in zip(again.associate(frame).ids, associator.associate(frame).ids, strict=True):
        np.testing.assert_array_equal(ids, expected)
    path = tmp_path / "rig" / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["floor"]["statures"].append(1.0)
    config["config_sha256"] = config_digest(config)
    path.write_text(json.dumps(config), "utf-8")
    with pytest.raises(ValueError, match="log-odds of statures"):
        Associator.from_pretrained(tmp_path / "rig")
