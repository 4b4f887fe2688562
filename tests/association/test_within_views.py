"""What single views tell: boxes of one instant are two people, boxes of a tracklet one."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.association.appearance.within_views import own_distances
from selfmva.core.packed_boxes import pack
from selfmva.core.types import Frame, View

VIEWS = [View("door", 640, 480), View("hall", 640, 480)]


def walkers(instants: int, *, features: bool = True) -> list[Frame]:
    """Two people in the first view, each with a look of their own; nobody in the second."""
    frames = []
    for t in range(instants):
        boxes = [[50 + 2 * t, 100, 90 + 2 * t, 220], [400 - 2 * t, 150, 440 - 2 * t, 300]]
        features_of_frame = [[1.0, 0.01 * t], [0.01 * t, 1.0]]
        frames.append(Frame([boxes, []], index=t, features=[features_of_frame, None] if features else None))
    return frames


def test_distances_of_one_person_and_of_two() -> None:
    instants, shift = 30, 5
    found = own_distances(pack(walkers(instants), 2), VIEWS, shift)
    first = np.array([[1.0, 0.01 * t] for t in range(instants)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    later = 1 - (first[:-shift] * first[shift:]).sum(axis=1)
    np.testing.assert_allclose(np.sort(found.same), np.sort(np.tile(later, 2)), atol=1e-6)
    np.testing.assert_allclose(np.sort(found.other), np.sort(1 - 2 * first[:, 0] * first[:, 1]), atol=1e-6)


@pytest.mark.parametrize("frames", [walkers(3), walkers(30, features=False), [Frame([[], []])] * 4])
def test_too_short_and_nothing_to_see(frames: list[Frame]) -> None:
    assert len(own_distances(pack(frames, 2), VIEWS, 5).same) == 0
