"""Saved associators: everything comes back, damage is found, and a full disk costs nothing."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import zipfile
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from full_disk import largest_file
from huggingface_hub import ModelCard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save_file
from small_scenes import fit_quietly, fitted_on_a_floor, flat, quick, short

from selfmva import Associator
from selfmva.association.pretrained import CARD, CONFIG, WEIGHTS, Card, find_folder
from selfmva.association.pretrained.files import config_digest
from selfmva.errors import CheckpointError, ConfigError, DataError
from selfmva.geometry.support import NO_SUPPORT

if TYPE_CHECKING:
    from collections.abc import Callable

A_VIEW = {"name": "d", "width": 5, "height": 5}


@pytest.fixture(scope="module")
def associator() -> Associator:
    """It has everything that can be saved; what fit() did not find, other views might have."""
    found = copy(fitted_on_a_floor()[0])
    found.lines_ = {(0, 2): np.random.default_rng(0).normal(size=(3, 3))}
    found.fit_report_ = replace(found.fit_report_, moved={"camera0": 0.25, "camera1": float("nan")})
    return found


@pytest.fixture(scope="module")
def saved(associator: Associator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only; tests that damage it take a copy."""
    folder = tmp_path_factory.mktemp("saved") / "my-rig"
    associator.save_pretrained(folder)
    return folder


@pytest.fixture
def damaged(saved: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    shutil.copytree(saved, tmp_path / "copy")
    return tmp_path / "copy"


def edit_config(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    config = json.loads((folder / CONFIG).read_text())
    change(config)
    if config.get("config_sha256"):
        config["config_sha256"] = config_digest(config)  # what a program that went wrong might write
    (folder / CONFIG).write_text(json.dumps(config))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    """With the right hash: what a program that went wrong might write."""
    tensors = load((folder / WEIGHTS).read_bytes())
    change(tensors)
    save_file(tensors, folder / WEIGHTS)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    edit_config(folder, lambda config: config.update(weights_sha256=digest))


def test_everything_comes_back(associator: Associator, saved: Path) -> None:
    again = Associator.from_pretrained(saved)
    assert again.get_params() == associator.get_params()
    assert again.views_ == associator.views_
    assert repr(again.fit_report_) == repr(associator.fit_report_)
    for name, value in associator.encoder_.state_dict().items():
        assert torch.equal(value, again.encoder_.state_dict()[name]), name


def test_the_geometry_comes_back(associator: Associator, saved: Path) -> None:
    again = Associator.from_pretrained(saved)
    assert associator.floor_ is not None
    assert again.floor_ is not None
    np.testing.assert_array_equal(again.floor_.homographies, associator.floor_.homographies)
    np.testing.assert_array_equal(again.floor_.projections, associator.floor_.projections)
    assert again.floor_.supports == associator.floor_.supports
    assert again.lines_.keys() == associator.lines_.keys() == {(0, 2)}
    np.testing.assert_array_equal(again.lines_[0, 2], associator.lines_[0, 2])


def test_a_floor_with_a_unit_and_without_a_view_comes_back(associator: Associator, tmp_path: Path) -> None:
    part = copy(associator)
    assert associator.floor_ is not None
    supports = {(0, 1): replace(NO_SUPPORT, synchronous=3.5)}  # its residual is NaN
    part.floor_ = replace(
        associator.floor_, cameras=(*associator.floor_.cameras[:2], None), unit=1.7, supports=supports
    )
    part.save_pretrained(tmp_path)
    floor = Associator.from_pretrained(tmp_path).floor_
    assert floor is not None
    assert (floor.unit, floor.views_on_floor) == (1.7, (0, 1))
    assert repr(floor.supports) == repr(supports)


def test_tables_come_back(associator: Associator, saved: Path) -> None:
    again = Associator.from_pretrained(saved)
    assert associator.tables_ is not None
    assert again.tables_ is not None
    assert associator.tables_.keys() == again.tables_.keys()
    for pair, fused in associator.tables_.items():
        assert again.tables_[pair].weights == fused.weights
        assert again.tables_[pair].bias == fused.bias
        assert again.tables_[pair].tables.keys() == fused.tables.keys() != set()
        for name, table in fused.tables.items():
            np.testing.assert_array_equal(again.tables_[pair].tables[name].distances, table.distances)
            np.testing.assert_array_equal(again.tables_[pair].tables[name].log_odds, table.log_odds)
            assert again.tables_[pair].tables[name].true_fraction == table.true_fraction


def test_associations_are_identical(associator: Associator, saved: Path) -> None:
    again = Associator.from_pretrained(str(saved))
    for index in range(240, 255):
        one, other = (which.associate(fitted_on_a_floor()[1].frame(index)) for which in (associator, again))
        assert all(map(np.array_equal, one.ids, other.ids))
        np.testing.assert_array_equal(one.floor_positions(), other.floor_positions())
        for pair, probability in one.probabilities.items():
            np.testing.assert_array_equal(probability, other.probabilities[pair])


@pytest.mark.parametrize("recipe", ["batch", "published"])
def test_point_prompts_and_both_recipes_come_back(recipe: str, tmp_path: Path) -> None:
    one = fit_quietly(flat(recipe, encoder={"prompt": "point"}), short())
    one.save_pretrained(tmp_path)
    again = Associator.from_pretrained(tmp_path)
    assert again.get_params() == one.get_params()
    np.testing.assert_array_equal(again.embed(0, [[0, 0, 9, 30]]), one.embed(0, [[0, 0, 9, 30]]))


def test_saving_again_gives_the_same_files(saved: Path, tmp_path: Path) -> None:
    Associator.from_pretrained(saved).save_pretrained(tmp_path / "deep" / "folder")
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "deep" / "folder" / name).read_bytes() == (saved / name).read_bytes()


def test_nothing_is_a_pickle_and_the_device_is_not_kept(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {CARD, CONFIG, WEIGHTS}
    config = json.loads((saved / CONFIG).read_text())
    assert "device" not in config["params"]
    assert "encoder.gaussian" in load((saved / WEIGHTS).read_bytes())


def test_a_report_with_nothing_to_compare_comes_back(tmp_path: Path) -> None:
    """NaN is no JSON; it is kept as null."""
    lonely = [[[[k, 0, k + 30, 60]], []] for k in range(20)]
    one = fit_quietly(quick(), [(640, 480), (640, 480)], lonely)
    one.save_pretrained(tmp_path)
    assert "NaN" not in (tmp_path / CONFIG).read_text()
    report = Associator.from_pretrained(tmp_path).fit_report_
    assert repr(report) == repr(one.fit_report_)
    assert np.isnan(report.synchronization_accuracy)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file_is_named(damaged: Path, name: str) -> None:
    (damaged / name).unlink()
    with pytest.raises(CheckpointError, match=rf"lacks {name}: is it a folder made by save_pretrained\(\)"):
        Associator.from_pretrained(damaged)


@given(st.sampled_from([CONFIG, WEIGHTS]), st.floats(0, 1, exclude_max=True))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_is_cut_short(saved: Path, tmp_path: Path, name: str, fraction: float) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    data = (saved / name).read_bytes()
    (folder / name).write_bytes(data[: int(fraction * len(data))])
    with pytest.raises(CheckpointError, match="is damaged|is no config"):
        Associator.from_pretrained(folder)


def test_one_bit_of_the_weights(damaged: Path) -> None:
    data = bytearray((damaged / WEIGHTS).read_bytes())
    data[-5] ^= 1
    (damaged / WEIGHTS).write_bytes(data)
    with pytest.raises(CheckpointError, match="its hash differs"):
        Associator.from_pretrained(damaged)


def test_files_of_two_associators(damaged: Path, tmp_path: Path) -> None:
    fit_quietly(flat(seed=4), short()).save_pretrained(tmp_path / "other")
    shutil.copy(tmp_path / "other" / WEIGHTS, damaged / WEIGHTS)
    with pytest.raises(CheckpointError, match="does not belong to config.json"):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format_version=99), r"has format 99, this version reads up to 7: run `pip install"),
        (lambda c: c.pop("format_version"), "no format_version"),
        (lambda c: c.update(format_version="1"), "no format_version"),
        (lambda c: c.pop("views"), "unknown or missing views"),
        (lambda c: c.update(extra=1), "unknown or missing extra"),
        (lambda c: c["params"].update(extra=1), "extra is unknown"),
        (lambda c: c["params"].update(seed=-1), "seed"),
        (lambda c: c.update(params=[1]), "damaged or of another version"),
        (lambda c: c.update(views=3), "damaged or of another version"),
        (lambda c: c.update(views=[{"name": "a"}]), "damaged or of another version"),
        (lambda c: c["views"][0].update(width=-5), "width in pixels must be a whole number from 1 to"),
        (
            lambda c: (c.update(format_version=1), c.pop("floor")),
            "of another version: unknown or missing config_sha256, floor",
        ),
        (lambda c: c.update(floor=[1]), "damaged or of another version"),
        (lambda c: c["floor"].pop("unit"), "damaged or of another version"),
        (lambda c: c["floor"]["cameras"].pop(), "10 numbers for each of 3 cameras"),
        (lambda c: c["floor"]["cameras"][0].pop(), "10 numbers for each of 3 cameras"),
        (lambda c: c["floor"]["supports"][0].pop(), "damaged or of another version"),
        (
            lambda c: c["floor"].update(file="../../x"),
            "the floor has cameras, file, foot_shifts, lenses, statures, supports, unit,",
        ),
        (lambda c: c["floor"]["supports"].append([0, 9, c["floor"]["supports"][0][2]]), "which is no pair of 3 views"),
        (lambda c: c.update(card={"file": "../../x"}), "file is unknown; known are data_license"),
        (lambda c: c.pop("card"), "unknown or missing card"),
        (lambda c: c.update(weights="../../other/model.safetensors"), "unknown or missing weights"),
        (lambda c: c["params"].update(recipe={"name": "geometry"}), "recipe 'geometry' with an embedding"),
        (
            lambda c: c["params"]["appearance"].update(encoder="onnx:../../x"),
            "'onnx:../../x', climbs out of its folder",
        ),
        (lambda c: c["params"]["appearance"].update(encoder="onnx:..\\x"), "climbs out of its folder: refused"),
        (lambda c: c["floor"]["supports"][0][2].update(extra=1), "damaged or of another version"),
        (lambda c: c.update(fit_report=[1]), "damaged or of another version"),
        (lambda c: c["fit_report"].pop("pairs"), "damaged or of another version"),
        (lambda c: c["fit_report"].update(extra=1), "damaged or of another version"),
        (lambda c: c["params"]["encoder"].update(prompt="point"), r"decoder\.weight has shape \(12, 768\)"),
        (lambda c: (c["views"].append(A_VIEW), c.update(floor=None)), "tables of 3 view pairs, expected all 6"),
    ],
)
def test_a_config_that_was_changed(damaged: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    edit_config(damaged, change)
    with pytest.raises(CheckpointError, match=message):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"a": 1}', "\x00\x01"])
def test_a_config_that_is_none(damaged: Path, text: str) -> None:
    (damaged / CONFIG).write_text(text)
    with pytest.raises(CheckpointError, match="config"):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("encoder.gaussian"), "lacks gaussian"),
        (lambda t: t.update({"encoder.extra": torch.zeros(1)}), "holds extra, which is not known here"),
        (lambda t: t.update({"encoder.gaussian": torch.zeros(2, 5)}), r"gaussian has shape \(2, 5\)"),
        (lambda t: t.pop("tables.0.1.floor.log_odds"), "damaged or of another version"),
        (lambda t: t.pop("tables.0.1.bias"), "damaged or of another version"),
        (lambda t: t.update({"tables.x.y.distances": torch.zeros(1)}), r"unknown tables\.x\.y\.distances"),
        (lambda t: t.update({"lines.a": torch.zeros(3, 3)}), r"unknown lines\.a"),
        (lambda t: t.update({"lines.0.7": torch.zeros(3, 3)}), r"unknown lines\.0\.7"),
        (lambda t: t.update({"lines.0.1": torch.zeros(2, 3)}), r"fundamental matrix of shape \(2, 3\)"),
        (lambda t: t["tables.0.1.bias"].fill_(np.nan), r"tables\.0\.1\.bias is not finite"),
        (lambda t: t["encoder.gaussian"].fill_(np.inf), r"encoder\.gaussian is not finite"),
        (lambda t: t.pop("tables.0.1.floor.weight"), "damaged or of another version"),
        (lambda t: t.update({"tables.0.1.gait.bias": torch.zeros(1)}), "known cues are embedding, floor, head_lines"),
        (lambda t: t["tables.0.1.floor.distances"].neg_(), r"tables\.0\.1\.floor has no increasing distances"),
        (lambda t: [t.pop(name) for name in list(t) if name.startswith("encoder")], "'batch' without an embedding"),
    ],
)
def test_weights_of_another_architecture(
    damaged: Path, change: Callable[[dict[str, torch.Tensor]], Any], message: str
) -> None:
    edit_weights(damaged, change)
    with pytest.raises(CheckpointError, match=message):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize("room", [100, 1_000_000])
def test_a_full_disk_leaves_the_old_folder_whole(damaged: Path, saved: Path, room: int) -> None:
    other = fit_quietly(flat(seed=9), short())
    with largest_file(room), pytest.raises(DataError, match="cannot write .*; what was there before is unchanged"):
        other.save_pretrained(damaged)
    assert {path.name for path in damaged.iterdir()} == {CARD, CONFIG, WEIGHTS}
    for name in (CARD, CONFIG, WEIGHTS):
        assert (damaged / name).read_bytes() == (saved / name).read_bytes()


def test_a_folder_that_cannot_be_made(associator: Associator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot make the folder"):
        associator.save_pretrained(tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    "name", ["nowhere", "a/b/c", "./nowhere", "../nowhere", "/nowhere/at-all", "org/", Path("org/name")]
)
def test_a_name_that_is_none(name: str | Path) -> None:
    with pytest.raises(CheckpointError, match="neither a folder, nor the name of a hub repository"):
        Associator.from_pretrained(name)


def test_a_folder_goes_before_the_hub(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(saved.parent.parent)
    assert find_folder(f"{saved.parent.name}/{saved.name}").resolve() == saved


class _Code:
    """What a pickle may do to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_in_the_place_of_the_weights(damaged: Path, tmp_path: Path) -> None:
    (damaged / WEIGHTS).write_bytes(pickle.dumps(_Code(tmp_path / "ran")))
    with pytest.raises(CheckpointError, match=r"model\.safetensors is a pickle, which may run code: refused"):
        Associator.from_pretrained(damaged)
    torch.save({"model": _Code(tmp_path / "ran")}, damaged / WEIGHTS)
    with pytest.raises(CheckpointError, match="is a zip archive, as pickled weights are, which may run code: refused"):
        Associator.from_pretrained(damaged)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("first", [b"\x80\x05", b"PK"])
def test_weights_that_begin_as_a_pickle_or_an_archive_would(damaged: Path, first: bytes) -> None:
    """They begin with the length of their header, which may be any number."""
    tensors = load((damaged / WEIGHTS).read_bytes())
    save_file(tensors, damaged / WEIGHTS, {"pad": ""})
    missing = int.from_bytes(first, "little") - int.from_bytes((damaged / WEIGHTS).read_bytes()[:8], "little")
    save_file(tensors, damaged / WEIGHTS, {"pad": " " * (missing % 65536)})
    data = (damaged / WEIGHTS).read_bytes()
    assert data.startswith(first)
    edit_config(damaged, lambda config: config.update(weights_sha256=hashlib.sha256(data).hexdigest()))
    Associator.from_pretrained(damaged)


def test_a_pickle_beside_the_config(damaged: Path) -> None:
    (damaged / WEIGHTS).rename(damaged / "pytorch_model.bin")
    with pytest.raises(
        CheckpointError, match=r"lacks model\.safetensors: pytorch_model\.bin is a pickle or an archive"
    ):
        Associator.from_pretrained(damaged)


def test_a_zip_bomb(damaged: Path, tmp_path: Path) -> None:
    """It would unpack to a thousand times its size: nothing is unpacked."""
    bomb = tmp_path / "rig.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.txt", bytes(50_000_000))
    with pytest.raises(CheckpointError, match=r"rig\.zip is a file, .* archives and pickles are refused"):
        Associator.from_pretrained(bomb)
    shutil.copy(bomb, damaged / WEIGHTS)
    with pytest.raises(CheckpointError, match="is a zip archive"):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_file_that_is_far_too_large(damaged: Path, name: str) -> None:
    with (damaged / name).open("r+b") as file:
        file.truncate(600 << 20)  # takes no room on the disk
    with pytest.raises(CheckpointError, match=r"has 629,145,600 bytes, no model has more than"):
        Associator.from_pretrained(damaged)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format_version": NaN}', '{"format_version": Infinity}'])
def test_a_config_that_is_made_to_break_the_reader(damaged: Path, text: str) -> None:
    (damaged / CONFIG).write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json is damaged"):
        Associator.from_pretrained(damaged)


def test_the_card_says_what_the_model_is(associator: Associator, tmp_path: Path) -> None:
    card = {"title": "The corridor", "license": "CC-BY-4.0", "metrics": {"AP": 0.91234}, "evaluated_on": "day 2"}
    associator.save_pretrained(tmp_path / "corridor", card=card)
    text = (tmp_path / "corridor" / CARD).read_text()
    data = ModelCard(text).data
    assert (data.license, data.library_name) == ("cc-by-4.0", "selfmva")
    for part in (
        "# The corridor",
        'from_pretrained("corridor")',
        "1280 x 720",
        "| AP ",
        "0.912",
        "day 2",
        "Consent and",
    ):
        assert part in text
    assert "Training data: not stated." in text


def test_what_the_card_says_is_kept_until_something_else_is_learnt(tmp_path: Path) -> None:
    one = fit_quietly(flat(), short())
    assert one.card_ is None
    one.save_pretrained(tmp_path / "one", card=Card(title="The corridor"))
    assert one.card_ == Card(title="The corridor")
    loaded = Associator.from_pretrained(tmp_path / "one")
    loaded.save_pretrained(tmp_path / "two")
    assert Associator.from_pretrained(tmp_path / "two").card_ == Card(title="The corridor")
    assert fit_quietly(loaded, short()).card_ is None


def test_a_readme_of_ones_own_stays(associator: Associator, tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("my notes")
    associator.save_pretrained(tmp_path)
    assert (tmp_path / CARD).read_text() == "my notes"
    Associator.from_pretrained(tmp_path)


def test_a_card_of_an_earlier_version_is_written_anew(associator: Associator, tmp_path: Path) -> None:
    mark = "<!-- Written by selfmva whenever the rig is saved; without this line, your own text stays. -->"
    (tmp_path / CARD).write_text(f"{mark}\n\n# An older text")
    associator.save_pretrained(tmp_path)
    text = (tmp_path / CARD).read_text()
    assert "An older text" not in text
    assert mark.replace("rig", "model") in text


def test_a_card_with_an_unknown_field(associator: Associator, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="licence is unknown; known are data_license"):
        associator.save_pretrained(tmp_path, card={"licence": "MIT"})


def test_half_precision(associator: Associator, saved: Path, tmp_path: Path) -> None:
    associator.save_pretrained(tmp_path, precision="float16")
    assert (tmp_path / WEIGHTS).stat().st_size < 0.6 * (saved / WEIGHTS).stat().st_size
    box = [[100, 100, 200, 400]]
    one, other = (Associator.from_pretrained(folder).embed(1, box) for folder in (saved, tmp_path))
    np.testing.assert_allclose(one, other, atol=0.02)
    assert other.dtype == np.float32
    with pytest.raises(ConfigError, match="precision must be one of float32, float16, got 'int8'"):
        associator.save_pretrained(tmp_path, precision="int8")  # type: ignore[arg-type]


def test_the_file_of_an_encoder_is_found_again_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "re-id.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path / "here")
    associator = Associator.from_pretrained("wildtrack", appearance="onnx:../re-id.onnx")
    associator.save_pretrained("rig")
    monkeypatch.chdir(tmp_path)
    loaded = Associator.from_pretrained("here/rig")
    assert loaded.get_params()["appearance"].encoder == f"onnx:{(tmp_path / 're-id.onnx').resolve()}"
