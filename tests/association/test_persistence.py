"""A saved model is the old one or the new one, whoever is killed or writes at once; anything else is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from selfmva import Associator
from selfmva.association.pretrained import CARD, CONFIG, WEIGHTS, files
from selfmva.association.pretrained.files import hidden_weights
from selfmva.errors import CheckpointError

BOXES = [np.array([[100.0 + 200 * k, 300, 180 + 200 * k, 520] for k in range(6)])] * 7
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two, of other weights and configs."""
    room, folders = tmp_path_factory.mktemp("models"), []
    for seed in (0, 1):
        model = Associator.from_pretrained("wildtrack").model_
        assert model.tables is not None
        tables = {pair: replace(table, bias=table.bias + seed) for pair, table in model.tables.items()}
        model = replace(model, tables=tables, config=model.config.model_copy(update={"seed": seed}))
        Associator.from_model(model).save_pretrained(room / str(seed))
        folders.append(room / str(seed))
    return folders


def seed_of(folder: Path) -> int:
    """Which of the two a folder holds, its tables and its config of one."""
    loaded = Associator.from_pretrained(folder)
    seed = int(loaded.get_params()["seed"])
    own = Associator.from_pretrained("wildtrack").tables_
    assert own is not None
    assert loaded.tables_ is not None
    assert all(table.bias == own[pair].bias + seed for pair, table in loaded.tables_.items())
    return seed


@pytest.mark.parametrize("stage", ["before the config", "between config and weights", "after both"])
def test_a_writer_that_dies_at_each_stage(models: list[Path], tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    digest = json.loads((models[1] / CONFIG).read_text())["weights_sha256"]
    shutil.copy(models[1] / WEIGHTS, hidden_weights(folder, digest))
    (folder / ".0123abcd.json").write_text("{")
    if stage != "before the config":
        shutil.copy(models[1] / CONFIG, folder / CONFIG)
    if stage == "after both":
        hidden_weights(folder, digest).replace(folder / WEIGHTS)
    assert seed_of(folder) == (stage != "before the config")
    Associator.from_pretrained(models[0]).save_pretrained(folder)  # and the next writer tidies up
    assert {path.name for path in folder.iterdir()} == {CARD, CONFIG, WEIGHTS}
    assert seed_of(folder) == 0


def test_the_first_weights_of_a_folder_may_still_wait(models: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "rig"
    shutil.copytree(models[1], folder)
    digest = json.loads((folder / CONFIG).read_text())["weights_sha256"]
    (folder / WEIGHTS).rename(hidden_weights(folder, digest))
    assert seed_of(folder) == 1


def test_a_reader_reads_again_where_somebody_writes(
    models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    shutil.copy(models[1] / WEIGHTS, folder / WEIGHTS)  # its config comes while the reader waits
    monkeypatch.setattr(files.time, "sleep", lambda _: shutil.copy(models[1] / CONFIG, folder / CONFIG))
    assert seed_of(folder) == 1


@POSIX
def test_writers_that_are_killed_beside_a_reader(models: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    both, found = [Associator.from_pretrained(name) for name in models], set()
    children = []
    for number in range(12):
        child = os.fork()
        if not child:  # pragma: no cover  # it is killed
            while True:
                for model in both[:: 1 if number % 2 else -1]:
                    model.save_pretrained(folder)
        children.append(child)
        time.sleep(0.01)
        if len(children) > 1:  # two write at once, and one of them is killed
            found.add(seed_of(folder))
            os.kill(children.pop(0), signal.SIGKILL)
            os.wait()
            found.add(seed_of(folder))
    os.kill(children.pop(), signal.SIGKILL)
    os.wait()
    found.add(seed_of(folder))
    assert found <= {0, 1}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, inner in items for leaf in leaves(inner, (*path, key))]
    return [path]


@pytest.mark.parametrize("seed", range(20))
def test_a_value_of_the_config_that_was_changed(models: list[Path], tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    config = json.loads((folder / CONFIG).read_text())
    *path, last = leaves(config)[int(rng.integers(len(leaves(config))))]
    place = config
    for key in path:
        place = place[key]
    place[last] = [None, "x", -1, 1e300, [], {}, [1]][seed % 7]
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError):
        Associator.from_pretrained(folder)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
@pytest.mark.parametrize("seed", range(10))
def test_a_bit_that_flipped(models: list[Path], tmp_path: Path, seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    data = bytearray((folder / name).read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    (folder / name).write_bytes(data)
    with pytest.raises(CheckpointError):
        Associator.from_pretrained(folder)


def test_another_layout_of_the_config_is_the_same_config(models: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "rig"
    shutil.copytree(models[0], folder)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(dict(reversed(config.items()))))
    assert all(map(np.array_equal, *(Associator.from_pretrained(f).associate(BOXES).ids for f in (folder, models[0]))))
    (folder / CONFIG).write_text(json.dumps(config | {"feature_length": 7}))
    with pytest.raises(CheckpointError, match="was changed by hand: its digest differs"):
        Associator.from_pretrained(folder)
