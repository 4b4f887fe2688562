"""From boxes to embeddings: where they are (`selfmva.encoders.box`) and how they look."""

from selfmva.encoders.appearance import AppearanceEncoder
from selfmva.encoders.check import check_encoder
from selfmva.encoders.crops import cut_crops, cut_crops_on_device
from selfmva.encoders.onnx_appearance import OnnxAppearance
from selfmva.encoders.osnet import OsnetAin
from selfmva.encoders.registry import list_encoders, open_appearance
from selfmva.encoders.torch_appearance import TorchvisionAppearance
from selfmva.plugins import PluginEntry

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
