"""Detectors of people in images: YOLOX through ONNX, torchvision's models, those of plug-ins, or one of your own."""

from selfmva.core.plugins import PluginEntry
from selfmva.detectors.base import Detections, Detector
from selfmva.detectors.conformance import check_detector
from selfmva.detectors.detect import detect
from selfmva.detectors.registry import list_detectors, open_detector
from selfmva.detectors.torchvision import TorchvisionDetector
from selfmva.detectors.yolox import Yolox

__all__ = [
    "Detections",
    "Detector",
    "PluginEntry",
    "TorchvisionDetector",
    "Yolox",
    "check_detector",
    "detect",
    "list_detectors",
    "open_detector",
]
