"""Detectors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfmva.detectors.base import Detector
from selfmva.detectors.torchvision import TorchvisionDetector
from selfmva.detectors.yolox import Yolox
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: dict[str, Callable[..., Detector]] = {"onnx": Yolox, "torchvision": TorchvisionDetector}
FORMS = "'onnx:path/to/yolox.onnx', 'torchvision:name of a model', or a Detector: an object with an identity (str) \
that is called with images"


def open_detector(detector: str | Detector, *, least_score: float | None = None, device: str = "cpu") -> Detector:
    """Turn what a user gives for a detector into one.

    Args:
        detector: `"onnx:path/to/yolox.onnx"` (see `Yolox`), `"torchvision:fasterrcnn_resnet50_fpn_v2"` (see
            `TorchvisionDetector`), or a Detector, which is given back as it is.
        least_score: Boxes with less are dropped; None: the default of its kind. Nothing to a Detector.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where there is one. Nothing to a Detector.

    Raises:
        InputError: None of these, or a setting out of range.
        MissingDependencyError: The kind needs a package that is not installed.
        CheckpointError: The weights are no such model.
        DataError: The weights cannot be downloaded.

    Example:
        >>> open_detector("yolox.onnx")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: expected a detector, 'onnx:path/to/yolox.onnx', ..., got 'yolox.onnx'
    """
    if not isinstance(detector, str):
        if isinstance(detector, Detector):
            return detector
        raise InputError(f"expected a detector, {FORMS}, got {type(detector).__name__}")
    kind, separator, what = detector.partition(":")
    if kind not in KINDS or not separator or not what:
        raise InputError(f"expected a detector, {FORMS}, got {detector!r}")
    settings: dict[str, Any] = {} if least_score is None else {"least_score": least_score}
    return KINDS[kind](what, device=device, **settings)
