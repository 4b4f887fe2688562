"""A training that is killed, again and again, ends where an uninterrupted one ends, bit by bit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from selfmva.core.config import AssociatorConfig, build
from selfmva.core.threads import limited_threads
from selfmva.datasets.simulated import Simulated
from selfmva.training.fit_encoder import fit_encoder
from selfmva.training.loop import Watch

RECIPES = {
    "batch": {"name": "batch", "steps": 60, "instants": 4},
    "published": {"name": "published", "epochs": 2, "held_out_fraction": 0.0},
}
PATIENCE = 120  # seconds; of a very busy machine


def run(recipe: str, checkpoint: Path | None = None, checkpoint_seconds: float = 1e9) -> dict[str, torch.Tensor]:
    """Train to the end, from the checkpoint where there is one."""
    recording = Simulated(views=3, people=3, instants=50, seed=0)
    frames = [recording.frame(index) for index in recording.splits["train"]]
    config = build(AssociatorConfig, {"recipe": RECIPES[recipe], "seed": 3})
    watch = Watch(checkpoint=checkpoint, resume=checkpoint is not None, checkpoint_seconds=checkpoint_seconds)
    with limited_threads(config.threads):  # sums of two threads round otherwise than those of one
        return fit_encoder(recording.views, frames, config, watch).encoder.state_dict()


@cache
def uninterrupted(recipe: str) -> dict[str, torch.Tensor]:
    return run(recipe)


def start(recipe: str, checkpoint: Path) -> subprocess.Popen[str]:
    """The same in another process, saving after every step; see the end of this file."""
    return subprocess.Popen(
        [sys.executable, __file__, recipe, str(checkpoint)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def step_of(checkpoint: Path) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        return int(file.metadata()["step"])


def wait_for_a_newer(checkpoint: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has saved a checkpoint of its own."""
    before, deadline = checkpoint.stat().st_ino if checkpoint.exists() else None, time.monotonic() + PATIENCE
    while not checkpoint.exists() or checkpoint.stat().st_ino == before:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("times", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_killed_again_and_again(recipe: str, times: int, tmp_path: Path) -> None:
    checkpoint, moment = tmp_path / "state.safetensors", random.Random(recipe)
    steps = []
    for _ in range(times):
        process = start(recipe, checkpoint)
        wait_for_a_newer(checkpoint, process)
        time.sleep(moment.uniform(0, 0.2))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL  # it was killed: it had not come to its end
        steps.append(step_of(checkpoint))
    assert steps == sorted(steps)
    assert 0 < steps[0] < steps[-1]
    assert_equal(run(recipe, checkpoint), uninterrupted(recipe))


def test_interrupted_from_the_keyboard(tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.safetensors"
    process = start("batch", checkpoint)
    wait_for_a_newer(checkpoint, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in errors
    assert list(tmp_path.iterdir()) == [checkpoint]  # nothing half-written is left behind
    assert 0 < step_of(checkpoint) < 60
    assert_equal(run("batch", checkpoint), uninterrupted("batch"))


if __name__ == "__main__":
    # A job in the background of a shell starts with SIGINT ignored, and so do the processes that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run(sys.argv[1], Path(sys.argv[2]), checkpoint_seconds=0.0)
