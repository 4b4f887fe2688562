"""What a user gives for an encoder or a detector: a name, a name with what it is made of, or the object."""

from __future__ import annotations

import pytest

from selfmva.detectors import open_detector
from selfmva.encoders import open_appearance
from selfmva.errors import PluginError


def test_a_file_without_its_kind_is_told_how_files_are_given() -> None:
    with pytest.raises(PluginError, match=r"'heads\.onnx'.*a file comes behind its kind, such as 'onnx:path/to/yolox"):
        open_detector("heads.onnx")
    with pytest.raises(PluginError, match=r"a file comes behind its kind, such as 'onnx:path/to/re-id\.onnx'"):
        open_appearance("weights/re-id.pt")


def test_a_name_without_a_dot_is_no_file() -> None:
    with pytest.raises(PluginError, match="those of plug-ins have to be installed$"):
        open_detector("yolo")
