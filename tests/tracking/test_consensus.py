"""Ids of a pass and tracks inside views, brought to agree."""

from __future__ import annotations

import numpy as np
from walks import instants_of, walkers

from selfmva.tracking.consensus import reconcile


def test_a_box_that_left_its_track_for_an_instant_comes_back() -> None:
    instants = instants_of(walkers(people=4, instants=60))
    ids = [np.arange(4) for _ in instants]
    ids[30] = np.array([0, 1, 9, 3])
    assert all(found.tolist() == [0, 1, 2, 3] for found in reconcile(instants, ids))


def test_tracks_that_contradict_the_ids_are_not_heard() -> None:
    instants, rng = instants_of(walkers(people=4, instants=60)), np.random.default_rng(0)
    ids = [rng.permutation(4) + 4 for _ in instants]
    found = reconcile(instants, ids)
    pairs = {
        pair for one, other in zip(ids, found, strict=True) for pair in zip(one.tolist(), other.tolist(), strict=True)
    }
    assert len(pairs) == 4


def test_nobody_is_normal() -> None:
    nobody = instants_of(np.zeros((3, 0, 4)))
    assert [len(found) for found in reconcile(nobody, [np.zeros(0, np.int64)] * 3)] == [0, 0, 0]
    assert reconcile([], []) == []
