"""Rigs and weights that come from elsewhere: aliases, model cards, checkpoints of the published code."""

from selfmva.pretrained import ALIASES, Alias, Card
from selfmva.upstream import convert_upstream

__all__ = ["ALIASES", "Alias", "Card", "convert_upstream"]
