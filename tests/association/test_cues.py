"""Cues by name: a fifth one is a class and a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest
from small_scenes import partition

from selfmva import Associator, Frame, View
from selfmva.association import cues
from selfmva.association.cues.base import BoxBatch, Cue
from selfmva.errors import CheckpointError
from selfmva.metrics import evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.association.model import FittedModel

VIEWS = [View("left", 200, 400), View("right", 200, 400)]
INSTANTS, PEOPLE = 120, 4


@dataclass(frozen=True, eq=False)
class StatureCue(Cue):
    """The logarithm of how much higher one box is than the other: for cameras that see everybody equally near."""

    name = "stature"

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        return cls()

    def read(self, batch: BoxBatch) -> np.ndarray:
        """The logarithm of each box's height."""
        return np.log(batch.boxes[:, 3] - batch.boxes[:, 1])

    def distances(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """See `Cue`."""
        return np.abs(first[:, None] - second)

    def distances_of_pairs(self, readings: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """See `Cue`."""
        return np.abs(readings[first] - readings[second])


def crowd() -> tuple[list[Frame], list[tuple[np.ndarray, np.ndarray]]]:
    """At every instant other people, each as high in one view as in the other, at places that tell nothing."""
    rng = np.random.default_rng(0)
    frames, identities = [], []
    for instant in range(INSTANTS):
        heights = rng.uniform(60, 350, PEOPLE)
        boxes = []
        for _ in VIEWS:
            left, top = rng.uniform(10, 150, PEOPLE), rng.uniform(5, 30, PEOPLE)
            seen = heights * np.exp(rng.normal(0, 0.01, PEOPLE))
            boxes.append(np.column_stack([left, top, left + 30, top + seen]))
        frames.append(Frame(boxes, instant))
        identities.append((np.arange(PEOPLE), np.arange(PEOPLE)))
    return frames, identities


@pytest.fixture
def with_stature(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setattr(cues, "CUES", (*cues.CUES, StatureCue))


@pytest.mark.usefixtures("with_stature")
@pytest.mark.filterwarnings(
    "ignore::selfmva.errors.LearntNothingWarning"
)  # no geometry, no embedding: the report knows these alone
def test_a_fifth_cue_is_learnt_used_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, identities = crowd()
    associator = Associator(recipe="geometry").fit(VIEWS, frames[:80])
    assert associator.tables_ is not None
    table = associator.tables_[0, 1]
    assert table.weights["stature"] > 0.5
    assert table.tables["stature"].log_odds[0] > 2
    labelled = list(zip(frames[80:], identities[80:], strict=True))
    assert evaluate(associator, labelled).average_precision > 0.9
    associator.save_pretrained(tmp_path)
    again = Associator.from_pretrained(tmp_path)
    assert partition(again.associate(frames[100])) == partition(associator.associate(frames[100]))
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="stature.*known cues are embedding, floor, head_lines, appearance"):
        Associator.from_pretrained(tmp_path)


@pytest.mark.filterwarnings("ignore::selfmva.errors.LearntNothingWarning")
def test_without_it_nobody_is_found() -> None:
    """The toy would prove nothing if the other cues sufficed."""
    frames, _ = crowd()
    associator = Associator(recipe="geometry").fit(VIEWS, frames[:80])
    assert associator.associate(frames[100]).probability(0, 1).max() < 0.1


def test_names_are_unique() -> None:
    names = [cue.name for cue in cues.CUES]
    assert len(set(names)) == len(names)
    assert sum(cue.absolute for cue in cues.CUES) <= 1
