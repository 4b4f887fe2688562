"""Detectors by name: built in, from a plug-in that pip installed, and broken."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from plugin_files import PLUGINS, install_plugin, plugins_in, write_plugin

from selfmva.detectors import Detector, check_detector, detect, list_detectors, open_detector
from selfmva.errors import InputError, PluginError
from selfmva.io import SynchronizedReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUILT_IN = {"onnx", "torchvision"}
GROUP = "selfmva.detectors"
DETECTOR = """
class Detector:
    identity = {identity}
    def __init__(self, what="", *, device):
        {body}
    def __call__(self, images):
        raise NotImplementedError
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the detector plug-in."""
    folder = tmp_path_factory.mktemp("installed")
    install_plugin(PLUGINS / "toy_detector", folder)
    return folder


@pytest.fixture
def installed(target: Path) -> Iterator[None]:
    """The plug-in is there for a test, and gone after it."""
    with plugins_in(target):
        yield


def coats(*places: int) -> np.ndarray:
    """A dark image with a person in white at each x."""
    image = np.full((40, 60, 3), 30, np.uint8)
    for x in places:
        image[10:30, x : x + 6] = 240
    return image


def test_the_built_in_detectors_are_listed() -> None:
    entries = {entry.name: entry for entry in list_detectors() if entry.distribution.startswith("selfmva ")}
    assert set(entries) == BUILT_IN
    assert all(entry.error is None for entry in entries.values())


@pytest.mark.usefixtures("installed")
def test_an_installed_detector_is_listed_and_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "selfmva_brightness", raising=False)  # another test may have opened it
    (entry,) = (entry for entry in list_detectors() if entry.name == "brightness")
    assert (entry.distribution, entry.error) == ("selfmva-brightness 1.4", None)
    assert entry.target == "selfmva_brightness:Brightness"
    assert "selfmva_brightness" not in sys.modules  # listing imports nothing
    detector = open_detector("brightness")
    assert isinstance(detector, Detector)
    check_detector(detector)
    check_detector(detector, [coats(5), coats(30, 50), coats()])
    dim = open_detector("brightness:20", least_score=0.75, device="cpu")
    assert dim.identity == "brightness 1 level=20 least_score=0.75"


@pytest.mark.usefixtures("installed")
def test_an_installed_detector_finds_people_in_videos() -> None:
    with SynchronizedReader([np.stack([coats(5), coats()]), np.stack([coats(9), coats(1, 40)])], rate=10) as reader:
        frames = list(detect(reader, open_detector("brightness")))
    assert [frame.counts for frame in frames] == [(1, 1), (0, 2)]
    assert frames[0].boxes[0].tolist() == [[5, 10, 11, 30]]


def test_a_broken_plugin_breaks_nothing_else(tmp_path: Path) -> None:
    fine = DETECTOR.format(identity="'fine 1'", body="pass")
    raising = DETECTOR.format(identity="'x'", body="raise KeyError('size')")
    write_plugin(tmp_path, "broken-import", "raise OSError('no driver')", GROUP, broken_import="broken_import:X")
    write_plugin(tmp_path, "broken-call", raising, GROUP, broken_call="broken_call:Detector")
    write_plugin(tmp_path, "broken-kind", "def X(*, device):\n    return 3", GROUP, broken_kind="broken_kind:X")
    write_plugin(tmp_path, "broken-target", fine, GROUP, broken_target="not a target")
    write_plugin(tmp_path, "first", fine, GROUP, same="first:Detector", fine="first:Detector")
    write_plugin(tmp_path, "second", fine, GROUP, same="second:Detector", onnx="second:Detector")
    with plugins_in(tmp_path):
        errors = {entry.name: entry.error for entry in list_detectors()}
        assert set(errors) >= BUILT_IN | {"broken_import", "broken_call", "fine"}
        assert {name for name, error in errors.items() if error} == {"broken_target", "same", "onnx"}
        for name, message in {
            "broken_import": r"detector 'broken_import' \(broken_import:X\) of broken-import 0\.3 failed: OSError: no",
            "broken_call": "of broken-call 0.3 failed: KeyError: 'size'; update that distribution or uninstall",
            "broken_kind": "of broken-kind 0.3 gave int, expected a Detector: an object with an identity",
            "broken_target": "of broken-target 0.3 cannot be loaded: .*'not a target' is not of the form module",
            "same": "'same' is registered by first 0.3 and second 0.3; uninstall one",
            "onnx:yolox.onnx": r"'onnx' is registered by second 0\.3 and selfmva ",
        }.items():
            with pytest.raises(PluginError, match=message):
                open_detector(name)
        assert open_detector("fine").identity == "fine 1"
        with pytest.raises(InputError, match=r"detector 'fine' takes .*unexpected keyword argument 'least_score'"):
            open_detector("fine", least_score=0.5)
