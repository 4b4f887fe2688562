"""Bodies are followed by where their joints are."""

from __future__ import annotations

import numpy as np
from body_scenes import frames_of_people, people

from selfmva.core.types import Frame
from selfmva.geometry.bodies.body_tracks import bodies_of_views, body_distances, body_sizes, follow_bodies


def test_tracks_are_of_one_person() -> None:
    views, chosen = bodies_of_views(frames_of_people(), 3)
    assert chosen.tolist() == list(range(150))
    for number, view in enumerate(views):
        whose = np.concatenate([people().identities(t)[number] for t in range(150)])
        tracks = [whose[view.track == track] for track in range(view.track.max() + 1)]
        alike = sum(np.bincount(track + 1).max() for track in tracks)
        assert alike / len(whose) > 0.98
        assert max(map(len, tracks)) > 60


def test_the_users_tracks_are_taken() -> None:
    frames = [
        Frame(keypoints=[np.full((2, 3, 3), 0.5 + t)[:, :, :] * [1, 1, 0.1]], track_ids=[[7, -1]]) for t in range(3)
    ]
    assert bodies_of_views(frames, 1)[0][0].track.tolist() == [1, -1, 1, -1, 1, -1]


def test_a_gap_ends_a_track() -> None:
    joints = np.tile(np.array([[0.0, 0], [10, 100], [20, 50]]), (4, 1, 1))
    instant = np.array([0, 1, 2, 3])
    assert follow_bodies(joints, instant, np.array([0, 1, 2, 3])).tolist() == [0, 0, 0, 0]
    assert follow_bodies(joints, instant, np.array([0, 1, 20, 21])).tolist() == [0, 0, 1, 1]


def test_distances_are_medians_of_common_joints() -> None:
    first = np.array([[[0.0, 0], [10, 0], [np.nan, np.nan]]])
    second = np.array([[[3.0, 4], [10, 0], [7, 7]], [[np.nan, np.nan], [np.nan, np.nan], [1, 1]]])
    found = body_distances(first, second)
    assert found[0, 0] == 0  # of 0 and 5, the lower one
    assert found[0, 1] > 1e5
    assert body_sizes(second).tolist() == [7, 1]
    assert body_distances(first[:0], second).shape == (0, 2)
