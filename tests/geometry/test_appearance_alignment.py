"""Alignments from likely matches: found among wrong ones, and a floor that they make possible."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest
from floor_scenes import floor_error, frames_of, sight_walkers, walkers

from selfmva.association.appearance.matches import match_by_appearance
from selfmva.core.packed_boxes import pack
from selfmva.geometry.appearance_alignment import align_matches
from selfmva.geometry.calibration import calibrate_floor
from selfmva.geometry.floor_search import find_floor

SHORT = {"views": 3, "people": 8, "instants": 12, "interval_seconds": 0.5, "clothes": 3.0, "seed": 4}
PAIRS = ((0, 1), (0, 2), (1, 2))


@cache
def truth() -> tuple[np.ndarray, np.ndarray]:
    """Rows of boxes of the first two views that are one person, by the true identities."""
    scene, views = walkers(), sight_walkers()
    who = [[], []]
    for index in range(len(scene)):
        frame = scene.frame(index)
        for view in (0, 1):
            order = np.lexsort(frame.boxes[view].T)
            who[view].append(scene.identities(index)[view][order])
    ids = [np.concatenate(part) for part in who]
    same = (ids[0][:, None] == ids[1]) & (ids[0][:, None] >= 0)
    same &= views[0].instant[:, None] == views[1].instant
    one, other = np.nonzero(same)
    return one, other


@pytest.mark.parametrize("wrong", [0.0, 0.5, 0.7])
def test_the_alignment_is_found_among_wrong_matches(wrong: float) -> None:
    views, (one, other) = sight_walkers(), truth()
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(one), 120, replace=False)
    one, other = one[chosen], other[chosen].copy()
    bad = rng.random(len(other)) < wrong
    other[bad] = rng.permutation(len(views[1].instant))[: bad.sum()]
    (best, *_) = align_matches(views[0], views[1], one, other)
    right = ~bad & views[0].usable[one] & views[1].usable[other]
    error = np.abs(best.turn * views[0].places[one[right]] + best.shift - views[1].places[other[right]])
    assert abs(best.turn) == pytest.approx(1.0)
    assert np.median(error) < 1.0


def test_nothing_is_proposed_where_too_few_agree() -> None:
    views, (one, other) = sight_walkers(), truth()
    assert align_matches(views[0], views[1], one[:0], other[:0]) == []
    assert align_matches(views[0], views[1], one[:3], other[:3]) == []


def test_all_proposals_are_distinct_and_sorted() -> None:
    views, (one, other) = sight_walkers(), truth()
    shuffled = np.random.default_rng(1).permutation(other)
    found = align_matches(views[0], views[1], one, shuffled)
    assert [a.consensus for a in found] == sorted((a.consensus for a in found), reverse=True)
    assert len({(round(a.turn.real, 3), round(a.shift.real, 3)) for a in found}) == len(found)


def test_appearance_matches_are_the_same_people() -> None:
    scene = walkers(**SHORT)
    packed = pack(frames_of(scene), 3)
    ids = [
        np.concatenate(
            [scene.identities(t)[view][np.lexsort(scene.frame(t).boxes[view].astype(np.float32).T)] for t in range(12)]
        )
        for view in range(3)
    ]
    found = match_by_appearance(packed, scene.views, minimum_shift=5)
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    for (i, j), (one, other) in found.items():
        assert len(one) > 20
        assert (ids[i][one] == ids[j][other]).mean() > 0.9


def test_uniforms_and_boxes_without_features_have_no_lookalikes() -> None:
    assert match_by_appearance(pack(frames_of(walkers(**SHORT | {"clothes": 0.0})), 3), walkers().views, 5) == {}
    assert match_by_appearance(pack(frames_of(walkers(**SHORT | {"clothes": None})), 3), walkers().views, 5) == {}


def test_clothes_find_the_floor_of_a_few_instants() -> None:
    """Six seconds of people who walk are enough to prove a geometry that look-alikes propose."""
    scene = walkers(**SHORT)
    frames = frames_of(scene)
    dressed = calibrate_floor(scene.views, frames, match_appearance=partial(match_by_appearance, minimum_shift=5))
    assert dressed is not None
    assert all(dressed.trusted(i, j) for i, j in PAIRS)
    assert max(floor_error(scene, dict(enumerate(dressed.cameras)), i, j) for i, j in PAIRS) < 0.1


def test_proposals_change_nothing_where_there_are_none() -> None:
    views = sight_walkers(instants=120)
    one, other = find_floor(views), find_floor(views, proposals={})
    assert one is not None
    assert other is not None
    for view, camera in one.cameras.items():
        np.testing.assert_array_equal(camera, other.cameras[view])
