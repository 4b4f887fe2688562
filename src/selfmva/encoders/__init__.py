"""From boxes to embeddings: where they are (`selfmva.encoders.box`) and how they look."""

from selfmva.core.plugins import PluginEntry
from selfmva.encoders.appearance.base import AppearanceEncoder
from selfmva.encoders.appearance.conformance import check_encoder
from selfmva.encoders.appearance.crops import cut_crops, cut_crops_on_device
from selfmva.encoders.appearance.onnx import OnnxAppearance
from selfmva.encoders.appearance.osnet import OsnetAin
from selfmva.encoders.appearance.registry import list_encoders, open_appearance
from selfmva.encoders.appearance.torch import TorchvisionAppearance

__all__ = [
    "AppearanceEncoder",
    "OnnxAppearance",
    "OsnetAin",
    "PluginEntry",
    "TorchvisionAppearance",
    "check_encoder",
    "cut_crops",
    "cut_crops_on_device",
    "list_encoders",
    "open_appearance",
]
