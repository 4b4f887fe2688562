"""Models of older versions load, and say what they said: format 2 knew nothing of what people look like."""

from __future__ import annotations

import hashlib
import json
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save_file
from small_scenes import fit_quietly, fitted_on_a_floor, flat, short

from selfmva import Associator
from selfmva.association.pretrained import CONFIG, WEIGHTS
from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


CUES = ("embedding", "floor", "head_lines")  # as they were numbered, before appearance
OLD_NAMES = {  # of format 5, as formats 2 to 4 had them
    "true_fraction": "true_share",
    "held_out_fraction": "held_out_share",
    "appearance_fraction": "appearance_share",
    "partner_fraction": "partner_share",
}


def with_old_names(values: dict[str, Any]) -> dict[str, Any]:
    return {OLD_NAMES.get(name, name): value for name, value in values.items()}


def as_told_then(associator: Associator) -> Associator:
    """The same, its report without what older ones did not tell."""
    older = copy(associator)
    older.fit_report_ = replace(associator.fit_report_, calibrated_instants=0)
    return older


def number_cues(folder: Path) -> None:
    """Tables as formats 2 to 4 had them: cues by number, the weights of all in one array."""
    numbered = {}
    for name, tensor in load((folder / WEIGHTS).read_bytes()).items():
        match name.split("."):
            case ["tables", i, j, cue, "weight"]:
                numbered.setdefault(f"tables.{i}.{j}.weights", torch.zeros(len(CUES), dtype=torch.float64))[
                    CUES.index(cue)
                ] = tensor
            case ["tables", i, j, cue, part]:
                numbered[f"tables.{i}.{j}.{CUES.index(cue)}.{OLD_NAMES.get(part, part)}"] = tensor
            case _:
                numbered[name] = tensor
    assert not any("fraction" in name for name in numbered)
    save_file(numbered, folder / WEIGHTS)
    config = json.loads((folder / CONFIG).read_text())
    config["weights_sha256"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CONFIG).write_text(json.dumps(config))


def write_format_2(associator: Associator, folder: Path) -> None:
    """What the version before wrote: nothing of appearance, anywhere."""
    associator.save_pretrained(folder)
    config = json.loads((folder / CONFIG).read_text())
    config["format_version"] = 2
    del config["config_sha256"], config["params"]["on_bad_box"], config["fit_report"]["dropped_boxes"]
    del config["appearance"], config["params"]["appearance"], config["fit_report"]["appearance"]
    del config["feature_length"], config["fit_report"]["calibrated_instants"]
    config["params"]["recipe"] = with_old_names(config["params"]["recipe"])
    config["params"]["recipe"].pop("appearance_share", None)
    config["fit_report"]["pairs"] = [with_old_names(pair) for pair in config["fit_report"]["pairs"]]
    for *_, support in (config["floor"] or {"supports": []})["supports"]:
        del support["refuted"]
    text = json.dumps(config)
    assert "appear" not in text
    assert "refuted" not in text
    assert "fraction" not in text
    (folder / CONFIG).write_text(text)
    number_cues(folder)


def test_a_model_with_a_floor(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    write_format_2(associator, tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    assert loaded.appearance_ is None
    assert np.isnan(loaded.fit_report_.appearance)
    assert loaded.get_params() == associator.get_params()
    assert repr(loaded.fit_report_) == repr(as_told_then(associator).fit_report_)
    assert loaded.tables_ is not None
    assert associator.tables_ is not None
    assert {pair: table.weights for pair, table in loaded.tables_.items()} == {
        pair: table.weights for pair, table in associator.tables_.items()
    }
    for index in range(240, 250):
        one, other = (each.associate(recording.frame(index)) for each in (associator, loaded))
        assert all(map(np.array_equal, one.ids, other.ids))
        for pair, probability in one.probabilities.items():
            np.testing.assert_array_equal(probability, other.probabilities[pair])


def test_frames_with_features_are_told_apart_as_without(tmp_path: Path) -> None:
    """Features that nothing was learnt of change nothing, and nothing is warned of."""
    associator, recording = fitted_on_a_floor()
    write_format_2(associator, tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    frame = recording.frame(241)
    looks = [np.random.default_rng(0).normal(size=(count, 5)) for count in frame.counts]
    one, other = loaded.associate(frame), loaded.associate(type(frame)(frame.boxes, features=looks))
    for pair, probability in one.probabilities.items():
        np.testing.assert_array_equal(probability, other.probabilities[pair])


@pytest.mark.parametrize("recipe", ["batch", "published"])
def test_saved_again_it_is_of_todays_format(recipe: str, tmp_path: Path) -> None:
    associator = fit_quietly(flat(recipe), short())
    write_format_2(associator, tmp_path / "old")
    Associator.from_pretrained(tmp_path / "old").save_pretrained(tmp_path / "new")
    as_told_then(associator).save_pretrained(tmp_path / "today")
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "today" / name).read_bytes()


def test_todays_format_needs_the_key(tmp_path: Path) -> None:
    write_format_2(fitted_on_a_floor()[0], tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(config | {"format_version": 3}))
    with pytest.raises(CheckpointError, match="unknown or missing appearance"):
        Associator.from_pretrained(tmp_path)
