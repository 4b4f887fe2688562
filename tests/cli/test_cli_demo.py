"""`selfmva demo`, and what it compares with."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
import pytest

from selfmva import Associator
from selfmva.cli.baselines import feet_on_floor, score_chance, score_known_calibration
from selfmva.datasets.simulated import Simulated
from selfmva.metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = ("--views", 2, "--people", 4, "--instants", 200, "--steps", 3, "--seed", 1)


def test_json(invoke: Callable, scene: Any, tmp_path: Path) -> None:
    outcome = invoke("demo", *SMALL, "--out", tmp_path / "demo", "--json")
    assert outcome.code == 0, outcome.err
    content = outcome.json()
    assert set(content["scores"]) == {"chance", "selfmva", "known_calibration"}
    assert content["scores"]["known_calibration"]["calibration_error"] is None
    saved = evaluate(Associator.from_pretrained(tmp_path / "demo"), scene)
    assert content["scores"]["selfmva"]["average_precision"] == pytest.approx(saved.average_precision, abs=1e-6)
    picture = cv2.imread(content["picture"])
    assert picture.shape[1] == 1600
    assert content["report"]["views_on_floor"] == ["camera0", "camera1"]
    assert cv2.imread(content["floor_picture"]).shape == (900, 900, 3)
    assert content["model"] == str(tmp_path / "demo")


def test_table(invoke: Callable, tmp_path: Path) -> None:
    outcome = invoke("demo", *SMALL, "--out", tmp_path / "demo")
    assert outcome.out.startswith("A simulated scene: 2 cameras, 4 people, 200 instants.")
    lines = outcome.out.splitlines()
    assert [line[17:].split() for line in lines if line.startswith("      ")] == [
        ["chance", "selfmva", "known", "calibration"]
    ]
    (row,) = (line.split() for line in lines if line.startswith("calibration error"))
    assert row[-1] == "-"
    assert f"picture: {tmp_path / 'demo' / 'association.png'}" in lines
    assert f"floor:   {tmp_path / 'demo' / 'floor.png'} (2 of 2 views are on it)" in lines


def test_no_floor_is_said(invoke: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfmva.geometry.calibration.find_floor", lambda *_: None)
    arguments = ("demo", *SMALL, "--instants", 60, "--out", tmp_path / "demo")
    assert "floor:   none was found" in invoke(*arguments).out.splitlines()
    assert invoke(*arguments, "--json").json()["floor_picture"] is None


def test_chance_knows_how_many_but_not_who(model: Path, scene: Any) -> None:
    associator = Associator.from_pretrained(model)
    ours, chance = evaluate(associator, scene), score_chance(associator, scene, seed=0)
    assert (chance.pairs, chance.box_pairs) == (ours.pairs, ours.box_pairs)
    assert ours.average_precision > chance.average_precision + 0.4
    assert ours.f1 > chance.f1 + 0.4
    assert score_chance(associator, scene, seed=0) == chance
    assert score_chance(associator, scene, seed=1) != chance


def test_chance_of_a_perfect_answer() -> None:
    """A perfect answer, shuffled, is right once in as many times as there are people."""

    class Perfect(Associator):
        """Knows who is who from the corner of the box."""

        def associate_many(self, frames: Any, **options: Any) -> Any:
            for frame in frames:
                yield PerfectAssociation(frame)

    class PerfectAssociation:
        doubles = ()

        def __init__(self, frame: Any) -> None:
            self.frame = frame
            self.ids = [boxes[:, 0] for boxes in frame.boxes]

        def probability(self, i: int, j: int) -> np.ndarray:
            return (self.ids[i][:, None] == self.ids[j][None, :]).astype(float)

        def matches(self, i: int, j: int) -> np.ndarray:
            return np.argwhere(self.probability(i, j))

    class Row:
        """Four people, always seen by both cameras."""

        splits: ClassVar = {"test": range(500)}

        def frame(self, index: int) -> Any:
            from selfmva.core.types import Frame

            boxes = [[left, 0, left + 5, 9] for left in (0, 10, 20, 30)]
            return Frame([boxes, boxes], index=index)

        def identities(self, index: int) -> Any:
            return (np.arange(4), np.arange(4))

    row = Row()
    labelled = [(row.frame(index), row.identities(index)) for index in row.splits["test"]]
    perfect = Perfect.from_pretrained("wildtrack")  # for a model that it does not ask
    assert evaluate(perfect, labelled).f1 == 1.0
    chance = score_chance(perfect, row, seed=0)
    assert chance.precision == chance.recall == pytest.approx(0.25, abs=0.03)  # 3 standard errors of 2000 matches


def test_known_calibration_is_perfect_for_a_perfect_detector() -> None:
    """Bodies of glass, nobody missed, whole boxes: the floor tells who is who."""
    exact = {"occlusion_threshold": 1.0, "truncation_threshold": 0.0, "miss_rate": 0, "false_rate": 0}
    scene = Simulated(views=3, people=2, instants=200, jitter=0, cut_feet_rate=0, **exact)
    scores = score_known_calibration(scene)
    assert scores.precision > 0.97
    assert scores.recall > 0.97
    assert math.isnan(scores.calibration_error)


def test_known_calibration_needs_shared_people() -> None:
    scores = score_known_calibration(Simulated(views=2, people=3, instants=200, unrelated_views=True))
    assert scores.precision == 0.0


def test_feet_on_floor_inverts_the_projection() -> None:
    scene = Simulated(views=2, people=3, instants=5)
    places = np.random.default_rng(0).uniform(2, 8, (6, 2))
    for homography in scene.homographies:
        pixels = homography @ np.concatenate([places, np.ones((6, 1))], axis=1).T
        feet = (pixels[:2] / pixels[2]).T
        boxes = np.concatenate([feet - np.array([20, 100]), feet + np.array([20, 0])], axis=1)
        np.testing.assert_allclose(feet_on_floor(boxes, homography), places, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_default_demo_is_convincing(tmp_path: Path, seed: int) -> None:
    command = [sys.executable, "-m", "selfmva", "demo", "--json", "--seed", str(seed), "--out", tmp_path / "demo"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert result.stderr == ""
    scores = json.loads(result.stdout)["scores"]
    assert scores["selfmva"]["average_precision"] > 0.95
    assert scores["selfmva"]["f1"] > scores["chance"]["f1"] + 0.5
