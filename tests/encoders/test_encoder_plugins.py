"""Encoders by name: built in, from a plug-in that pip installed, broken, and gone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from films import film
from plugin_files import PLUGINS, install_plugin, plugins_in, write_plugin

from selfmva import Associator
from selfmva.core.types import Frame
from selfmva.encoders import AppearanceEncoder, check_encoder, list_encoders, open_appearance
from selfmva.errors import AppearanceMissingWarning, GeometryMissingWarning, InputError, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selfmva.association.association import Association

BUILT_IN = {"onnx", "osnet-ain", "torchvision"}
GROUP = "selfmva.encoders"
INSTANTS = 24
QUICK: dict[str, Any] = {"recipe": {"name": "batch", "steps": 2, "instants": 8}, "geometry": {"floor": False}}
ENCODER = """
class Encoder:
    identity = {identity}
    def __init__(self, what="", *, device):
        {body}
    def __call__(self, images, boxes):
        raise NotImplementedError
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the encoder plug-in."""
    folder = tmp_path_factory.mktemp("installed")
    install_plugin(PLUGINS / "toy_encoder", folder)
    return folder


@pytest.fixture
def installed(target: Path) -> Iterator[None]:
    """The plug-in is there for a test, and gone after it."""
    with plugins_in(target):
        yield


def test_the_built_in_encoders_are_listed() -> None:
    entries = {entry.name: entry for entry in list_encoders() if entry.distribution.startswith("selfmva ")}
    assert set(entries) == BUILT_IN
    assert all(entry.error is None for entry in entries.values())


@pytest.mark.usefixtures("installed")
def test_an_installed_encoder_is_listed_and_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "selfmva_colours", raising=False)  # another test may have opened it
    (entry,) = (entry for entry in list_encoders() if entry.name == "colours")
    assert (entry.distribution, entry.target, entry.error) == ("selfmva-colours 2.1", "selfmva_colours:Colours", None)
    assert "selfmva_colours" not in sys.modules  # listing imports nothing
    encoder = open_appearance("colours")
    assert isinstance(encoder, AppearanceEncoder)
    check_encoder(encoder)
    three = open_appearance("colours:3", device="cpu")
    check_encoder(three)
    assert three.identity == "colours 1 stripes=3"
    red = np.full((20, 20, 3), (200, 10, 10), np.uint8)
    np.testing.assert_array_equal(three([red], [[[2, 2, 9, 18]]])[0], [[200, 10, 10] * 3])


@pytest.fixture(scope="module")
def model(target: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Association]]:
    """What was learnt with the plug-in, saved, and what it said of some frames with images."""
    shown = film(INSTANTS)
    folder = tmp_path_factory.mktemp("rig")
    with plugins_in(target), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFMVA_CACHE", str(tmp_path_factory.mktemp("cache")))
        associator = Associator(appearance="colours:4", **QUICK)
        with pytest.warns(GeometryMissingWarning):
            associator.fit(shown.images, shown.frames)
        said = list(associator.associate_many(with_images(t) for t in range(INSTANTS)))
    assert associator.appearance_ == "colours 1 stripes=4"
    assert shown.rates([association.ids for association in said]) == 1.0
    associator.save_pretrained(folder)
    return folder, said


def with_images(instant: int) -> Frame:
    shown = film(INSTANTS)
    frame = shown.frames[instant]
    return Frame(frame.boxes, frame.index, images=[images[instant] for images in shown.images])


@pytest.mark.usefixtures("installed")
def test_a_model_with_a_plugin_is_saved_and_loaded(model: tuple[Path, list[Association]]) -> None:
    loaded = Associator.from_pretrained(model[0])
    found = loaded.associate(with_images(3))
    np.testing.assert_allclose(found.probability(0, 1), model[1][3].probability(0, 1), atol=1e-6)


def test_a_model_whose_plugin_is_gone(model: tuple[Path, list[Association]]) -> None:
    """Pixels need it; boxes alone are associated as where images are missing, with the same warning."""
    loaded = Associator.from_pretrained(model[0])
    message = "learnt with the features of colours 1 stripes=4, and its encoder 'colours:4' cannot be opened: "
    for _ in range(2):
        with pytest.raises(PluginError, match=message + "no encoder is called 'colours'; Known: onnx, .* installed; "):
            loaded.associate(with_images(3))
    frame = with_images(3)
    with pytest.warns(AppearanceMissingWarning, match="told apart by geometry alone"):
        found = loaded.associate(list(frame.boxes))
    assert [len(ids) for ids in found.ids] == [3, 3]
    featured = Frame(frame.boxes, frame.index, features=model[1][3].frame.features)  # as the plug-in gave them
    np.testing.assert_allclose(loaded.associate(featured).probability(0, 1), model[1][3].probability(0, 1), atol=1e-6)


def test_a_broken_plugin_breaks_nothing_else(tmp_path: Path) -> None:
    fine = ENCODER.format(identity="'fine 1'", body="pass")
    raising = ENCODER.format(identity="'x'", body="raise KeyError('size')")
    write_plugin(tmp_path, "broken-import", "raise OSError('no driver')", GROUP, broken_import="broken_import:X")
    write_plugin(tmp_path, "broken-call", raising, GROUP, broken_call="broken_call:Encoder")
    write_plugin(tmp_path, "broken-kind", "def X(*, device):\n    return 3", GROUP, broken_kind="broken_kind:X")
    nameless = ENCODER.format(identity="7", body="pass")
    write_plugin(tmp_path, "broken-identity", nameless, GROUP, broken_identity="broken_identity:Encoder")
    write_plugin(tmp_path, "broken-target", fine, GROUP, broken_target="not a target")
    write_plugin(tmp_path, "first", fine, GROUP, same="first:Encoder", fine="first:Encoder")
    write_plugin(tmp_path, "second", fine, GROUP, same="second:Encoder", onnx="second:Encoder")
    with plugins_in(tmp_path):
        errors = {entry.name: entry.error for entry in list_encoders()}
        assert set(errors) >= BUILT_IN | {"broken_import", "broken_call", "fine"}
        assert {name for name, error in errors.items() if error} == {"broken_target", "same", "onnx"}
        for name, message in {
            "broken_import": r"encoder 'broken_import' \(broken_import:X\) of broken-import 0\.3 failed: OSError: no",
            "broken_call": "of broken-call 0.3 failed: KeyError: 'size'; update that distribution or uninstall",
            "broken_kind": "of broken-kind 0.3 gave int, expected an AppearanceEncoder: an object with an identity",
            "broken_identity": "of broken-identity 0.3 gave Encoder, expected an AppearanceEncoder",
            "broken_target": "of broken-target 0.3 cannot be loaded: .*'not a target' is not of the form module",
            "same": "'same' is registered by first 0.3 and second 0.3; uninstall one",
            "onnx:re-id.onnx": r"'onnx' is registered by second 0\.3 and selfmva ",
        }.items():
            with pytest.raises(PluginError, match=message):
                open_appearance(name)
        assert open_appearance("fine").identity == "fine 1"


def test_a_plugin_that_takes_something_else(tmp_path: Path) -> None:
    source = ENCODER.format(identity="'x'", body="pass")
    write_plugin(tmp_path, "needy", source.replace('what=""', "what"), GROUP, needy="needy:Encoder")
    write_plugin(tmp_path, "poor", source.replace(", *, device", ""), GROUP, poor="poor:Encoder")
    with plugins_in(tmp_path):
        for name, message in {
            "needy": r"encoder 'needy' takes \(what, \*, device\): missing a required argument: 'what'",
            "needy:": "something after the colon, such as 'onnx:path/to/re-id.onnx', got 'needy:'",
            "poor": r"encoder 'poor' takes \(what=''\): got an unexpected keyword argument 'device'",
        }.items():
            with pytest.raises(InputError, match=message):
                open_appearance(name)
        assert open_appearance("needy:this").identity == "x"
