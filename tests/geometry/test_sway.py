"""Cameras that move are told from noisy boxes: by what the stretches of one time have in common."""

from __future__ import annotations

import gzip
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from small_scenes import scene

from selfmva import Associator, Frame
from selfmva.datasets.mvmhat import MvMHAT
from selfmva.errors import RigChangedWarning
from selfmva.geometry.meetings import Stretches
from selfmva.geometry.sway import UNSTEADINESS, sway_of_stretches

if TYPE_CHECKING:
    from pathlib import Path

EACH, TIMES = 4, 30  # stretches of each time


def stretches(rng: np.random.Generator, sway: float, noise: float) -> Stretches:
    part = np.repeat(np.arange(TIMES), EACH)

    def normal(size: int) -> np.ndarray:
        return (rng.standard_normal(size) + 1j * rng.standard_normal(size)) / np.sqrt(2)

    place = rng.uniform(0, 1000, (len(part), 2))
    of_place = place @ [3e-4, -2e-4j]  # a floor that is off more at one end
    error = 0.1 + of_place + sway * normal(TIMES)[part] + noise * normal(len(part))
    return Stretches(part, rng.uniform(1.0, 1.5, len(part)), np.arange(len(part)), np.abs(error), error, place)


def test_fixed_cameras_are_called_so() -> None:
    rng = np.random.default_rng(0)
    found = [sway_of_stretches(stretches(rng, 0.0, 0.1)) for _ in range(300)]
    assert np.count_nonzero(found) <= 2  # chance is 1e-3


@pytest.mark.parametrize(("sway", "noise"), [(0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.3, 0.05)])
def test_the_ratio_of_between_and_within(sway: float, noise: float) -> None:
    rng = np.random.default_rng(1)
    found = [sway_of_stretches(stretches(rng, sway, noise)) for _ in range(60)]
    assert np.median(found) == pytest.approx(sway / np.hypot(noise, UNSTEADINESS.least_noise), rel=0.15)


def test_too_little_to_say() -> None:
    one = stretches(np.random.default_rng(2), 0.3, 0.01)
    few = [column[::EACH] for column in (one.part, one.worth, one.tracks, one.error, one.mean_error, one.place)]
    assert sway_of_stretches(Stretches(*few)) == 0.0  # one of each time
    assert sway_of_stretches(Stretches(*(column[:0] for column in few))) == 0.0


def in_hands(frames: list[Frame], seed: int) -> list[Frame]:
    """The camera of view 2 looks elsewhere every 20 instants."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-1, 1, (len(frames) // 20 + 1, 2)) * [
        50,
        30,
    ]  # pixels, of an image of 1280 x 720, every 20 instants
    shaken: list[Frame] = []
    for t, frame in enumerate(frames):
        before, after = places[t // 20], places[t // 20 + 1]
        move = before + (after - before) * (t % 20) / 20
        boxes = [b + np.tile(move, 2) if v == 2 else b for v, b in enumerate(frame.boxes)]
        shaken.append(Frame([np.maximum(b, 0) for b in boxes], frame.index, on_bad_box="drop"))
    return shaken


@pytest.mark.parametrize("seed", [3, 4])
def test_a_camera_in_somebodys_hands(seed: int) -> None:
    recording = scene(views=4, people=6, instants=200, seed=seed)
    frames = [recording.frame(t) for t in range(200)]
    steady = Associator(recipe="geometry").fit(recording.views, frames).fit_report_
    assert all(pair.trusted for pair in steady.pairs)
    shaken = in_hands(frames, seed)
    with pytest.warns(RigChangedWarning, match="camera2"):  # that it moved, or was knocked at some instant
        report = Associator(recipe="geometry").fit(recording.views, shaken).fit_report_
    names = {name for pair in report.pairs if pair.trusted for name in (pair.view_i, pair.view_j)}
    assert names == {"camera0", "camera1", "camera3"} or report.changes
    assert "camera2" in report.advice()


def test_adapt_does_not_keep_an_old_trust_in_a_camera_that_moves_now() -> None:
    recording = scene(views=4, people=6, instants=400, seed=3)
    frames = [recording.frame(t) for t in range(400)]
    associator = Associator(recipe="geometry").fit(recording.views, frames[:200])
    with pytest.warns(RigChangedWarning, match="camera2"):
        associator.adapt(in_hands(frames[200:], 3))
    report = associator.fit_report_
    assert not any(pair.trusted for pair in report.pairs if "camera2" in (pair.view_i, pair.view_j))


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "size", "moving"), [("2", (2704, 1520), True), ("9", (1920, 1080), False)])
def test_real_cameras_in_hands_and_on_stands(
    name: str, size: tuple[int, int], moving: bool, data_root: Path, tmp_path: Path
) -> None:
    for path in (data_root / "mvmhat").glob(f"{name}_*.txt.gz"):
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    dataset = MvMHAT(tmp_path, name, size=size, stride=2 if moving else 10)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        report = Associator(recipe="geometry").fit(dataset).fit_report_
    assert bool(report.moving_advice()) == moving
    assert any("moved during" in str(warning.message) for warning in said) == moving
