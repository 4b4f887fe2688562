"""Pairs in reach on the floor: the same as among all pairs, by whatever way they are found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from selfmva.core.compiled import is_available
from selfmva.core.types import View
from selfmva.geometry import floor_pairs
from selfmva.geometry.floor_cameras import FOCAL, HEIGHT, PARAMETERS, TILT, YAW, X, Y
from selfmva.geometry.floor_likelihood import FARTHEST_DISTANCE, distances_on_floor, read_boxes_on_floor
from selfmva.geometry.floor_pairs import FLOOR_PAIRS, pairs_on_floor

if TYPE_CHECKING:
    from collections.abc import Callable

    from selfmva.geometry.floor_likelihood import FloorReadings

VIEWS = [View(f"v{number}", 1000, 1000) for number in range(5)]
WAYS = ("arrays", "small blocks", "sorted", "loops", "compiled")


@pytest.fixture(params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the ways in which pairs are found; the loops run in plain Python, too."""
    if request.param == "compiled" and not is_available():
        pytest.skip("numba is not installed")
    without: Callable[..., object] = lambda *_: None  # noqa: E731
    if request.param != "compiled":
        monkeypatch.setattr(floor_pairs, "compiled", without)
    if request.param == "loops":
        monkeypatch.setattr(floor_pairs, "compiled", lambda function, _: function)
    small = {"rows": 3, "room": 1}
    changed = {"small blocks": small, "sorted": small | {"sorted_from": 4}, "loops": small}.get(request.param, {})
    monkeypatch.setattr(floor_pairs, "FLOOR_PAIRS", dataclasses.replace(FLOOR_PAIRS, **changed))


def crowd(seed: int, frames: int, most: int) -> tuple[FloorReadings, np.ndarray, np.ndarray]:
    """Boxes anywhere in five views of some frames, of which the last view is off the floor; frames and views."""
    rng = np.random.default_rng(seed)
    cameras = np.zeros((4, PARAMETERS))
    cameras[:, [X, Y]], cameras[:, YAW] = rng.normal(scale=1.5, size=(4, 2)), rng.uniform(-1, 1, 4)
    cameras[:, HEIGHT], cameras[:, TILT] = np.log(rng.uniform(0.9, 4.0, 4)), rng.uniform(-0.1, 0.6, 4)
    cameras[:, FOCAL] = rng.normal(scale=0.3, size=4)
    count = rng.integers(0, most + 1, (frames, 5))
    view = np.repeat(np.tile(np.arange(5), frames), count.ravel())
    corners = np.clip(rng.uniform(-100, 1000, (len(view), 2)), 0, 990)
    boxes = np.column_stack([corners, np.minimum(corners + rng.uniform((20, 60), (100, 300), (len(view), 2)), 1000)])
    readings = read_boxes_on_floor([*cameras, None], VIEWS, boxes, view)
    return readings, np.repeat(np.arange(frames), count.sum(axis=1)), view


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("farthest", [5.0, 7.0, 0.99 * FARTHEST_DISTANCE])
@pytest.mark.parametrize(("seed", "frames", "most"), [(0, 1, 9), (1, 4, 3), (2, 7, 1), (3, 3, 20), (4, 1, 0)])
def test_pairs_are_those_among_all_pairs(seed: int, frames: int, most: int, farthest: float) -> None:
    readings, frame, view = crowd(seed, frames, most)
    every = distances_on_floor(readings, readings)
    apart = (frame[:, None] == frame) & (view[:, None] < view)
    wanted = np.argwhere(apart & ~(every >= farthest))
    first, second, distances = pairs_on_floor(readings, frame, view, farthest)
    np.testing.assert_array_equal(np.column_stack([first, second]), wanted)
    if (seed, farthest) == (3, 7.0):  # neither none nor all
        assert 10 < (~np.isnan(distances)).sum() < 0.9 * (apart & ~np.isnan(every)).sum()
    np.testing.assert_allclose(distances, every[first, second], atol=1e-6)
    if most > 5:
        assert np.isnan(distances).any()  # boxes off the floor are left to other cues


def test_far_boxes_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two crowds that are far apart on the floor, in a frame large enough to be sorted by place."""
    rng = np.random.default_rng(0)
    camera = np.zeros(PARAMETERS)
    camera[[HEIGHT, TILT]] = 1.0, 0.6
    far = camera.copy()
    far[X] = 500.0
    corners = rng.uniform(300, 600, (40, 2))
    boxes = np.column_stack([corners, corners + np.array([30, 90])])
    view = np.repeat([0, 1, 2, 3], 10)
    readings = read_boxes_on_floor([camera, far, camera, far], VIEWS[:4], boxes, view)
    looked_at: list[int] = []
    likelihoods = floor_pairs._likelihoods

    def counting(*arguments: object) -> np.ndarray:
        cells = likelihoods(*arguments)  # type: ignore[arg-type]
        looked_at.append(cells.size)
        return cells

    monkeypatch.setattr(floor_pairs, "compiled", lambda *_: None)
    monkeypatch.setattr(floor_pairs, "_likelihoods", counting)
    monkeypatch.setattr(floor_pairs, "FLOOR_PAIRS", dataclasses.replace(FLOOR_PAIRS, rows=10, sorted_from=10))
    first, second, _ = pairs_on_floor(readings, np.zeros(40, np.int64), view, 5.0)
    assert set(zip(view[first], view[second], strict=True)) == {(0, 2), (1, 3)}
    assert sum(looked_at) <= 2 * 20 * 20
