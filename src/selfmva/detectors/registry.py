"""Detectors, built in or from plug-ins, by name; listing imports none of them."""

from __future__ import annotations

from typing import cast

from selfmva.core.plugin_argument import PluginArgument
from selfmva.core.plugins import PluginEntry, PluginGroup
from selfmva.detectors.base import Detector

DETECTORS = PluginGroup("selfmva.detectors", "detector")
DETECTOR_ARGUMENT = PluginArgument(
    DETECTORS,
    Detector,
    what="a detector",
    contract="a Detector: an object with an identity (str) that is called with images",
    names="'onnx:path/to/yolox.onnx', 'torchvision:name of a model', another name that `selfmva detectors` lists",
    example="onnx:path/to/yolox.onnx",
)


def list_detectors() -> list[PluginEntry]:
    """All registered detectors, by name; none is imported.

    Returns:
        One entry per name and distribution.

    Example:
        >>> [entry.target for entry in list_detectors() if entry.name == "onnx"]
        ['selfmva.detectors.yolox:Yolox']
    """
    return DETECTORS.entries()


def open_detector(detector: str | Detector, *, least_score: float | None = None, device: str = "cpu") -> Detector:
    """Turn what a user gives for a detector into one.

    Args:
        detector: The name of a registered detector (see `list_detectors`), by itself or with a colon and what it is
            made of: `"onnx:path/to/yolox.onnx"` (see `Yolox`), `"torchvision:fasterrcnn_resnet50_fpn_v2"` (see
            `TorchvisionDetector`), `"name"` or `"name:what"` of a plug-in; or a Detector, which is given back as it is.
        least_score: Boxes with less are dropped; None: the default of its kind. Nothing to a Detector.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where there is one. Nothing to a Detector.

    Raises:
        InputError: None of these, a detector that is made of something else, or a setting out of range.
        PluginError: No or more than one detector has this name, or its plug-in fails or gives something else.
        MissingDependencyError: The kind needs a package that is not installed.
        CheckpointError: The weights are no such model.
        ConfigError: The device cannot be used.
        DataError: The weights cannot be downloaded.

    Example:
        >>> open_detector("yolox.onnx")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: no detector is called 'yolox.onnx'; Known: ...
    """
    settings = {} if least_score is None else {"least_score": least_score}
    return cast("Detector", DETECTOR_ARGUMENT.resolve(detector, device=device, **settings))
