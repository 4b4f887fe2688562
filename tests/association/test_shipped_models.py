"""The models that come with the package: there without a network, small, and as good as their cards say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from selfmva import Associator, Frame, evaluate, load_dataset
from selfmva.association.pretrained import ALIASES, CARD, CONFIG, find_folder
from selfmva.association.pretrained.aliases import SHIPPED, shipped_folder
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from pathlib import Path

MODELS = {"wildtrack": ("validation", 7), "mvor": ("unseen", 3)}
WITHOUT_NETWORK = """
import socket
class Refused(socket.socket):
    def connect(self, *_): raise AssertionError("the network was asked")
socket.socket = Refused
from selfmva import Associator
associator = Associator.from_pretrained("wildtrack")
boxes = [[[900, 300, 1000, 600]]] + [[]] * 6
print(associator.associate(boxes))
"""


def test_every_model_that_ships_has_an_alias() -> None:
    assert {folder.name for folder in SHIPPED.iterdir() if folder.is_dir()} == set(MODELS) < set(ALIASES)


@pytest.mark.parametrize("name", MODELS)
def test_it_is_small_and_says_whose_data_it_was_learnt_from(name: str) -> None:
    folder = shipped_folder(name)
    assert folder is not None
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8_000_000
    text = (folder / CARD).read_text()
    for part in (
        f'from_pretrained("{name}")',
        "CC BY-NC-SA 4.0",
        "cc-by-nc-sa-4.0",
        "Consent and privacy",
        "## Limits",
    ):
        assert part in text
    associator = Associator.from_pretrained(name)
    assert len(associator.views_) == MODELS[name][1]
    assert associator.card_ is not None
    assert associator.card_.license == "CC-BY-NC-SA-4.0"


def test_the_first_line_works_without_a_network() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_NETWORK], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "Association(instant 0: 1 box in 7 views, 1 person, 0 of them in several views)\n"


@pytest.mark.realdata
@pytest.mark.parametrize("name", MODELS)
def test_it_reaches_what_its_card_says(name: str, data_root: Path) -> None:
    associator = Associator.from_pretrained(name)
    scores = evaluate(associator, load_dataset(name, data_root / name), split=MODELS[name][0])
    assert scores.average_precision >= 0.95
    assert associator.card_ is not None
    for metric, value in associator.card_.metrics.items():
        # MVOR's embedding is kept in half precision, its card was measured before.
        assert getattr(scores, metric.replace(" ", "_")) == pytest.approx(value, abs=0.002), metric


def test_a_folder_of_data_does_not_hide_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wildtrack").mkdir()
    assert find_folder("wildtrack") == shipped_folder("wildtrack")
    with pytest.raises(CheckpointError, match="lacks config.json"):
        Associator.from_pretrained("./wildtrack")


def test_a_model_of_ones_own_goes_before_an_alias(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Associator.from_pretrained("mvor").save_pretrained("wildtrack")
    assert len(Associator.from_pretrained("wildtrack").views_) == 3


def test_a_model_that_does_not_ship(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot get selfmva/soldiers at 'v1': local_files_only"):
        Associator.from_pretrained("soldiers", cache_dir=tmp_path, local_files_only=True)


def test_unknown_names_hear_of_the_known_ones() -> None:
    with pytest.raises(CheckpointError, match="nor one of wildtrack, mvor, soldiers"):
        Associator.from_pretrained("wildtrak")


def test_nothing_in_a_config_is_a_path() -> None:
    """The text that ships names no folder of whoever made it."""
    for name in MODELS:
        text = (SHIPPED / name / CONFIG).read_text()
        assert json.loads(text)["params"]["appearance"]["encoder"] is None
        assert "/work" not in text
        assert "/home" not in text


@pytest.mark.parametrize("name", MODELS)
def test_its_streams_are_watched(name: str) -> None:
    associator = Associator.from_pretrained(name)
    assert associator.model_.profile is not None
    nobody = [np.zeros((0, 4))] * MODELS[name][1]
    assert len(list(associator.associate_many([nobody] * 3))) == 3
    assert associator.health_.note == ""
    assert set(associator.health_.unknown) == {view.name for view in associator.views_}


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "cables"), [("wildtrack", [0, 5, 2, 3, 4, 1, 6]), ("mvor", [1, 0, 2])])
def test_unseen_instants_fit_it_and_swapped_cables_do_not(name: str, cables: list[int], data_root: Path) -> None:
    dataset = load_dataset(name, root=data_root / name)
    associator = Associator.from_pretrained(name)
    frames = [dataset.frame(index) for index in dataset.splits[MODELS[name][0]]]
    assert associator.check(frames).ok
    swapped = [Frame([frame.boxes[view] for view in cables], frame.index) for frame in frames]
    problems = associator.check(swapped).problems
    assert {problem.kind for problem in problems} == {"swapped"}
    assert {problem.view for problem in problems} == {
        view.name for number, view in enumerate(associator.views_) if cables[number] != number
    }
