"""Datasets: the contract, the registry of adapters and plug-ins, and the kit that checks them."""

from selfmva.datasets.base import LabelledDataset, MultiViewDataset
from selfmva.datasets.check import check_adapter
from selfmva.datasets.registry import DatasetEntry, list_datasets, load_dataset

__all__ = [
    "DatasetEntry",
    "LabelledDataset",
    "MultiViewDataset",
    "check_adapter",
    "list_datasets",
    "load_dataset",
]
