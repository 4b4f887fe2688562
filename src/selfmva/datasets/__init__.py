"""Datasets: the contract, the registry of adapters and plug-ins, and the kit that checks them."""

from selfmva.datasets.base import LabelledDataset, MultiViewDataset
from selfmva.datasets.check import check_adapter
from selfmva.datasets.registry import list_datasets, load_dataset
from selfmva.plugins import PluginEntry

__all__ = [
    "LabelledDataset",
    "MultiViewDataset",
    "PluginEntry",
    "check_adapter",
    "list_datasets",
    "load_dataset",
]
