"""`selfmva fit`: what is learnt is what the library learns, and a training can be resumed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from selfmva import Associator
from selfmva.association.pretrained import CARD, CONFIG, WEIGHTS
from selfmva.io import write_boxes
from selfmva.training.loop import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BOXES = [[100.0, 100.0, 200.0, 400.0], [600.0, 50.0, 640.0, 200.0]]

STEPS = 3
SHORT = ("--option", "instants=40")  # for what does not depend on what was learnt


@contextmanager
def interrupted_at(step: int) -> Iterator[Any]:
    """Progress that presses Ctrl-C."""

    def press(task: str, completed: int, total: int) -> None:
        if task == "fit" and completed == step:
            raise KeyboardInterrupt

    yield press


@pytest.fixture(scope="module")
def library(scene: Any) -> Associator:
    """What the library learns from the scene in as many steps as the tests here take."""
    return Associator(recipe={"name": "batch", "steps": STEPS}).fit(scene)


def test_same_as_the_library(
    invoke: Callable, scene_arguments: tuple[str, ...], library: Associator, tmp_path: Path
) -> None:
    outcome = invoke("fit", "--recipe=batch", *scene_arguments, "--set", f"recipe.steps={STEPS}", "--out", tmp_path)
    assert outcome.code == 0
    saved = Associator.from_pretrained(tmp_path)
    assert saved.views_ == library.views_
    np.testing.assert_array_equal(saved.embed(0, BOXES), library.embed(0, BOXES))
    np.testing.assert_array_equal(
        saved.associate([BOXES, BOXES]).probability(0, 1), library.associate([BOXES, BOXES]).probability(0, 1)
    )
    assert outcome.out.startswith(f"Learnt: {library.fit_report_.summary()}.\n")
    (row,) = (line.split() for line in outcome.out.splitlines() if line.startswith("camera0"))
    assert tuple(row) == library.fit_report_.rows()[0]
    assert outcome.out.splitlines()[-1].startswith(f"saved to {tmp_path} in ")


def test_the_floor_is_drawn(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    outcome = invoke("fit", *scene_arguments, "--set", "recipe.steps=1", "--out", tmp_path / "m")
    assert f"picture of the floor: {tmp_path / 'm' / 'floor.png'}" in outcome.out.splitlines()
    assert "Learnt: 2 of 2 views are on one floor, 1 of 1 view pairs are trusted;" in outcome.out
    assert "film longer" not in outcome.out
    assert cv2.imread(str(tmp_path / "m" / "floor.png")).shape == (900, 900, 3)


def test_no_floor_no_picture_but_advice(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A picture that an earlier fit left would show another model's floor."""
    (tmp_path / "floor.png").write_bytes(b"old")
    outcome = invoke(
        *("fit", *scene_arguments, *SHORT, "--set", "geometry.floor=false", "--set", "recipe.steps=1"),
        *("--out", tmp_path),
    )
    assert outcome.code == 0
    assert "floor.png" not in outcome.out
    assert not (tmp_path / "floor.png").exists()
    (advice,) = (line for line in outcome.out.splitlines() if "film longer" in line)
    assert advice.startswith("No geometry was found for any view: ")
    assert advice.endswith(".")


def test_the_checkpoint_goes_when_all_is_done(
    invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """A file that the user asked for stays."""
    command = ["fit", *scene_arguments, *SHORT, "--set", "recipe.steps=1", "--set", "geometry.floor=false", "--out"]
    assert invoke(*command, tmp_path / "m").code == 0
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [CARD, CONFIG, WEIGHTS]
    assert invoke(*command, tmp_path / "n", "--checkpoint", tmp_path / "state.safetensors").code == 0
    assert (tmp_path / "state.safetensors").exists()


def test_views_and_boxes_are_as_good_as_a_name(
    invoke: Callable, scene: Any, library: Associator, tmp_path: Path
) -> None:
    """The same instants from a file give the same encoder; only their last digits pass through text."""
    write_boxes(tmp_path / "boxes.csv", [scene.frame(index) for index in scene.splits["train"]])
    views = [f"{view.name}:{view.width}x{view.height}" for view in scene.views]
    outcome = invoke(
        *("fit", "--recipe=batch", "--views", *views, "--boxes", tmp_path / "boxes.csv"),
        *("--set", f"recipe.steps={STEPS}", "--out", tmp_path / "m"),
    )
    assert outcome.code == 0
    by_hand = Associator.from_pretrained(tmp_path / "m")
    assert by_hand.views_ == library.views_
    np.testing.assert_allclose(by_hand.embed(1, BOXES), library.embed(1, BOXES), atol=1e-4)


def test_json(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    outcome = invoke("fit", *scene_arguments, "--set", "recipe.steps=1", "--out", tmp_path / "m", "--json")
    content = outcome.json()
    assert content["model"] == str(tmp_path / "m")
    assert content["views"][1] == {"name": "camera1", "width": 1280, "height": 720}
    assert content["floor_picture"] == str(tmp_path / "m" / "floor.png")
    assert content["report"]["views_on_floor"] == ["camera0", "camera1"]
    (pair,) = content["report"]["pairs"]
    assert pair["calibration"] == "floor"
    assert set(pair) >= {"view_i", "view_j", "partner_fraction", "synchronization_accuracy", "support", "residual"}


def test_settings_reach_the_associator(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    outcome = invoke(
        *("fit", *scene_arguments, *SHORT, "--recipe", "published", "--seed", 7, "--out", tmp_path / "m", "--json"),
        *("--set", "recipe.epochs=1", "--set", "association.threshold=0.7", "--set", "encoder.prompt=point"),
        *("--set", "geometry.floor=false"),
    )
    assert outcome.code == 0, outcome.err
    params = Associator.from_pretrained(tmp_path / "m").get_params()
    assert (params["seed"], params["recipe"].name, params["recipe"].epochs) == (7, "published", 1)
    assert (params["association"].threshold, params["encoder"].prompt) == (0.7, "point")
    assert params["geometry"].floor is False


def test_nothing_learnt_is_a_warning(invoke: Callable, tmp_path: Path) -> None:
    """Cameras that film crowds of their own share nothing; stdout stays one JSON document."""
    options = [f"--option={text}" for text in ("views=2", "people=3", "instants=60", "unrelated_views=true")]
    outcome = invoke(
        *("fit", "--dataset", "simulated", *options, "--set", "recipe.steps=10"), "--out", tmp_path / "m", "--json"
    )
    assert outcome.code == 0
    assert outcome.err.startswith("selfmva: warning: fit() learnt nothing that could be told from chance")
    assert outcome.err.count("\n") == 1
    assert outcome.json()["report"]["better_than_chance"] is False
    assert outcome.json()["floor_picture"] is None


def test_interrupted_then_resumed(
    invoke: Callable,
    scene_arguments: tuple[str, ...],
    library: Associator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [
        "fit",
        "--recipe=batch",
        *scene_arguments,
        "--set",
        f"recipe.steps={STEPS}",
        "--out",
        tmp_path / "m",
        "--json",
    ]
    checkpoint = tmp_path / "m" / "checkpoint.safetensors"
    monkeypatch.setattr("selfmva.training.callbacks.Watch", partial(Watch, checkpoint_seconds=0.0))
    with monkeypatch.context() as patch:
        patch.setattr("selfmva.cli.fit.progress_of", lambda _: interrupted_at(STEPS - 1))
        outcome = invoke(*command)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == (
        f"selfmva: interrupted: the last checkpoint is {checkpoint}; the same command with --resume goes on from it\n"
    )
    with monkeypatch.context() as patch:
        patch.setattr("selfmva.cli.fit.progress_of", lambda _: interrupted_at(STEPS - 1))  # done before: never reached
        assert invoke(*command, "--resume").code == 0
    assert not checkpoint.exists()
    resumed = Associator.from_pretrained(tmp_path / "m")
    np.testing.assert_array_equal(resumed.embed(0, BOXES), library.embed(0, BOXES))


@pytest.mark.parametrize("left_behind", [True, False])
def test_interrupted_before_a_checkpoint(
    invoke: Callable,
    scene_arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_behind: bool,
) -> None:
    """A checkpoint that an older training left is not offered."""
    checkpoint = tmp_path / "elsewhere" / "state.safetensors"
    if left_behind:
        checkpoint.parent.mkdir()
        checkpoint.write_bytes(b"old")
    monkeypatch.setattr("selfmva.cli.fit.progress_of", lambda _: interrupted_at(1))
    outcome = invoke("fit", "--recipe=batch", *scene_arguments, "--out", tmp_path / "m", "--checkpoint", checkpoint)
    assert (outcome.code, outcome.err) == (130, "selfmva: interrupted\n")


def test_damaged_checkpoint(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.safetensors"
    checkpoint.write_bytes(b"old")
    outcome = invoke(
        "fit", "--recipe=batch", *scene_arguments, "--out", tmp_path / "m", "--checkpoint", checkpoint, "--resume"
    )
    assert outcome.code == 1
    assert f"{checkpoint} cannot be read" in outcome.err


def test_out_is_a_file(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Found out before the training, not after it."""
    (tmp_path / "taken").touch()
    outcome = invoke("fit", *scene_arguments, "--out", tmp_path / "taken", "--set", "recipe.steps=1000000")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"selfmva: error: cannot make the folder {tmp_path / 'taken'}: File exists\n"


def test_truncated_boxes(invoke: Callable, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"0": [[5, 5, 20, 40, -1, 0]]})[:-9])
    outcome = invoke("fit", "--views", "64x64", "64x64", "--boxes", path, "--out", tmp_path / "m")
    assert (outcome.code, outcome.out) == (1, "")
    assert str(path) in outcome.err
    assert outcome.err.count("\n") == 1
