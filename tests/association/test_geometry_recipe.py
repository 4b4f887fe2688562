"""`recipe="geometry"`: no embedding is trained, and everything that does not need one works."""

from __future__ import annotations

import copy
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from small_scenes import partition, reorder_cameras, scene

from selfmva import Associator, Frame, evaluate
from selfmva.association.pretrained import WEIGHTS, Card
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError, LearntNothingWarning, NotFittedError

if TYPE_CHECKING:
    from pathlib import Path


@cache
def fitted() -> tuple[Associator, Simulated]:
    recording = Simulated(views=3, people=5, instants=300, seed=0)
    return Associator(recipe="geometry").fit(recording), recording


def test_the_floor_alone_tells_people_apart() -> None:
    associator, recording = fitted()
    assert associator.encoder_ is None
    assert evaluate(associator, recording).average_precision > 0.98
    assert "embedding" not in associator.fit_report_.summary()
    assert associator.fit_report_.better_than_chance
    assert not associator.fit_report_.embedding
    assert {pair.calibration for pair in associator.fit_report_.pairs} == {"floor"}
    assert all(pair.partner_fraction > 0.5 for pair in associator.fit_report_.pairs)


def test_what_needs_an_embedding_says_so() -> None:
    associator, recording = fitted()
    with pytest.raises(NotFittedError, match="fitted without one"):
        associator.embed(0, [[0, 0, 5, 5]])
    with pytest.raises(InputError, match="use protocol='calibrated'"):
        evaluate(associator, recording, protocol="self-mva")


def test_saved_and_loaded(tmp_path: Path) -> None:
    associator, recording = fitted()
    associator.save_pretrained(tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_size < 100_000
    loaded = Associator.from_pretrained(tmp_path)
    assert loaded.encoder_ is None
    assert loaded.get_params() == associator.get_params()
    assert repr(loaded.fit_report_) == repr(associator.fit_report_)
    for index in range(240, 250):
        one, other = (each.associate(recording.frame(index)) for each in (associator, loaded))
        for pair, probability in one.probabilities.items():
            np.testing.assert_array_equal(probability, other.probabilities[pair])


def test_empty_frames() -> None:
    associator, _ = fitted()
    empty = np.zeros((0, 4))
    assert not associator.associate([empty] * 3).groups()
    lone = associator.associate([np.array([[100.0, 100.0, 200.0, 400.0]]), empty, empty])
    assert [len(ids) for ids in lone.ids] == [1, 0, 0]


def test_the_order_of_cameras_changes_nothing() -> None:
    associator, recording = fitted()
    order = [2, 0, 1]
    frames = [reorder_cameras(recording.frame(index), order) for index in recording.splits["train"]]
    other = Associator(recipe="geometry").fit([recording.views[view] for view in order], frames)
    for index in range(250, 260):
        frame = recording.frame(index)
        assert partition(associator.associate(frame)) == partition(other.associate(reorder_cameras(frame, order)))


def test_adapt() -> None:
    associator, recording = copy.deepcopy(fitted()[0]), fitted()[1]
    shaken = [Frame([boxes + np.array([2, 3, 2, 3]) for boxes in recording.frame(t).boxes], t) for t in range(200)]
    associator.card_ = Card(license="MIT", metrics={"AP": 0.9}, evaluated_on="day 1")
    assert associator.adapt(shaken).encoder_ is None
    assert associator.card_ == Card(license="MIT")  # the figures were of other boxes
    assert evaluate(associator, recording).average_precision > 0.95


def test_nothing_to_learn_is_said() -> None:
    recording = scene()
    with pytest.warns(LearntNothingWarning, match="no geometry was found"):
        Associator(recipe="geometry", geometry={"floor": False}).fit(recording)


WITHOUT_TORCH = """
import sys
from selfmva import Associator
associator = Associator.from_pretrained("wildtrack")
associator.associate([[[900, 300, 1000, 600]], [[300, 300, 400, 600]]] + [[]] * 5).probability(0, 1)
print([name for name in ("torch", "cv2", "pandas", "huggingface_hub") if name in sys.modules])
"""


FITTED_WITHOUT_TORCH = """
import sys
from tempfile import TemporaryDirectory
from selfmva import Associator
from selfmva.datasets.simulated import Simulated
recording = Simulated(views=3, people=5, instants=300, seed=0)
frames = [recording.frame(t) for t in recording.splits["train"]]
for recipe in ("geometry", "auto"):
    associator = Associator(recipe=recipe, threads=2).fit(recording.views, frames)
    associator.associate(recording.frame(299)).probability(0, 1)
    len(list(associator.associate_many(recording.frame(t) for t in range(280, 300))))
    associator.adapt(frames)
    with TemporaryDirectory() as folder:
        associator.save_pretrained(folder)
        Associator.from_pretrained(folder).associate(recording.frame(299))
print("torch" in sys.modules)
"""


def test_a_floor_is_learnt_without_torch() -> None:
    done = subprocess.run([sys.executable, "-c", FITTED_WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr


def test_a_model_without_an_embedding_answers_without_torch() -> None:
    """What takes seconds to import is not imported for a floor and some tables."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
