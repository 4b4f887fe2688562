"""Detectors of people in images: YOLOX through ONNX, torchvision's models, or one of your own."""

from selfmva.detectors.base import Detections, Detector
from selfmva.detectors.detect import detect
from selfmva.detectors.registry import open_detector
from selfmva.detectors.torchvision import TorchvisionDetector
from selfmva.detectors.yolox import Yolox

__all__ = ["Detections", "Detector", "TorchvisionDetector", "Yolox", "detect", "open_detector"]
