"""Models of older versions load, and say what they said: format 2 knew nothing of what people look like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.torch import load_file
from small_scenes import fit_quietly, fitted_on_a_floor, flat, short

from selfmva import Associator
from selfmva.association.pretrained import CONFIG, WEIGHTS
from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


def write_format_2(associator: Associator, folder: Path) -> None:
    """What the version before wrote: nothing of appearance, anywhere."""
    associator.save_pretrained(folder)
    config = json.loads((folder / CONFIG).read_text())
    config["format_version"] = 2
    del config["appearance"], config["params"]["appearance"], config["fit_report"]["appearance"]
    config["params"]["recipe"].pop("appearance_share", None)
    for *_, support in (config["floor"] or {"supports": []})["supports"]:
        del support["refuted"]
    text = json.dumps(config)
    assert "appear" not in text
    assert "refuted" not in text
    (folder / CONFIG).write_text(text)
    tensors = load_file(folder / WEIGHTS)
    weights = [tensor for name, tensor in tensors.items() if name.startswith("tables") and name.endswith("weights")]
    assert {len(tensor) for tensor in weights} <= {3}  # of three cues


def test_a_model_with_a_floor(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    write_format_2(associator, tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    assert loaded.appearance_ is None
    assert np.isnan(loaded.fit_report_.appearance)
    assert loaded.get_params() == associator.get_params()
    assert repr(loaded.fit_report_) == repr(associator.fit_report_)
    assert loaded.tables_ is not None
    assert {len(table.weights) for table in loaded.tables_.values()} == {3}
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
    associator.save_pretrained(tmp_path / "today")
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "today" / name).read_bytes()


def test_todays_format_needs_the_key(tmp_path: Path) -> None:
    write_format_2(fitted_on_a_floor()[0], tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(config | {"format_version": 3}))
    with pytest.raises(CheckpointError, match="unknown or missing appearance"):
        Associator.from_pretrained(tmp_path)
