"""Datasets: the contract, the registry of adapters and plug-ins, and the kit that checks them."""

from selfmva.core.plugins import PluginEntry
from selfmva.datasets.base import LabelledDataset, MultiViewDataset
from selfmva.datasets.check import check_adapter
from selfmva.datasets.registry import list_datasets, load_dataset

__all__ = [
    "LabelledDataset",
    "MultiViewDataset",
    "PluginEntry",
    "check_adapter",
    "list_datasets",
    "load_dataset",
]
