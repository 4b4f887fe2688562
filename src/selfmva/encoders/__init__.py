"""From boxes to embeddings: where they are (`selfmva.encoders.box`) and how they look."""

from selfmva.encoders.appearance import AppearanceEncoder
from selfmva.encoders.crops import cut_crops, cut_crops_on_device
from selfmva.encoders.onnx_appearance import OnnxAppearance
from selfmva.encoders.osnet import OsnetAin
from selfmva.encoders.registry import open_appearance
from selfmva.encoders.torch_appearance import TorchvisionAppearance

__all__ = [
    "AppearanceEncoder",
    "OnnxAppearance",
    "OsnetAin",
    "TorchvisionAppearance",
    "cut_crops",
    "cut_crops_on_device",
    "open_appearance",
]
