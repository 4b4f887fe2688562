"""Weights that come from elsewhere: checkpoints of the published code."""

from selfmva.upstream import convert_upstream

__all__ = ["convert_upstream"]
