"""Rings of cameras that look inward, for tests."""

from __future__ import annotations

import numpy as np

from selfmva import View
from selfmva.geometry.cameras import Camera


def look_at(centre: np.ndarray, target: np.ndarray, focal: float, size: tuple[int, int], lens=None) -> Camera:
    """A camera at `centre` whose middle shows `target`, upright."""
    ahead = (target - centre) / np.linalg.norm(target - centre)
    right = np.cross(ahead, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.array([right, np.cross(ahead, right), ahead])
    K = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    return Camera(K, rotation, -rotation @ centre, lens)


def ring(
    count: int = 5,
    radius: float = 4.5,
    height: float = 2.2,
    focal: float = 1400.0,
    size=(1920, 1080),
    lens=None,
    turn=0.0,
) -> tuple[list[Camera], list[View]]:
    """`count` cameras on a circle, in metres, that look at its middle one metre above the floor."""
    angles = turn + 2 * np.pi * np.arange(count) / count
    centres = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(count, height)], axis=1)
    cameras = [look_at(centre, np.array([0, 0, 1.0]), focal, size, lens) for centre in centres]
    return cameras, [View(f"camera {number}", *size) for number in range(count)]
