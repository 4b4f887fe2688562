"""Models and weights that come from elsewhere: aliases, model cards, checkpoints of the published code, ONNX files."""

from selfmva.association.pretrained import ALIASES, Alias, Card
from selfmva.association.pretrained.onnx_export import export_onnx
from selfmva.association.pretrained.upstream import convert_upstream

__all__ = ["ALIASES", "Alias", "Card", "convert_upstream", "export_onnx"]
