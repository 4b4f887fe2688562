"""The root network learns from invented people alone to find people, in its rig and in rings that it has not seen."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "pose"))
from rings import ring

from selfmva.pose.invented.rigs import invent_rig, make_rig
from selfmva.pose.invented.scenes import DetectorHabits
from selfmva.pose.networks.root import RootNetwork, gather_evidence
from selfmva.pose.voxels.grid import VoxelGrid
from selfmva.training.callbacks import Watch
from selfmva.training.checkpoint import Fingerprint
from selfmva.training.loop import train
from selfmva.training.poses.judging import find_invented
from selfmva.training.poses.root import MAP_SIZE, RING_SHAPE, RootObjective, best_threshold


def learn(objective: RootObjective) -> RootNetwork:
    torch.manual_seed(0)
    network = RootNetwork()
    train(network, objective, bfloat16=False, belongs_to=Fingerprint("{}", ""), watch=Watch())
    return network


def f1(volume_of, rigs) -> float:
    found = find_invented(volume_of, rigs, DetectorHabits(), 1.5)
    return best_threshold(found.heights, ~np.isnan(found.distance), found.people)[1]


def raw(heatmaps: torch.Tensor, grid) -> torch.Tensor:
    """The mean of the views, without a network."""
    return gather_evidence(heatmaps, grid)[:, 0]


@pytest.mark.slow
def test_people_are_found_in_the_rig_at_hand() -> None:
    torch.set_num_threads(1)
    cameras, views = ring(radius=3.5, height=0.9, focal=1000.0)
    rig = make_rig(cameras, views, VoxelGrid((0, 0, 0.9), (6, 6, 2), (32, 32, 10)), 1.7, MAP_SIZE)
    network = learn(RootObjective(rig))
    found, without = f1(network, [rig] * 64), f1(raw, [rig] * 64)
    assert found >= 0.90, (found, without)
    assert found >= without + 0.20, (found, without)


@pytest.mark.slow
def test_people_are_found_in_rings_that_were_never_seen() -> None:
    torch.set_num_threads(1)
    network = learn(RootObjective(None))
    unseen = [invent_rig(np.random.default_rng((2**32, number)), MAP_SIZE, RING_SHAPE) for number in range(64)]
    found, without = f1(network, unseen), f1(raw, unseen)
    assert found >= 0.90, (found, without)
    assert found >= without + 0.05, (found, without)
