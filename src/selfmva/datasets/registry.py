"""Find dataset adapters, built in or from plug-ins, by name; listing imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfmva.core.paths import as_path
from selfmva.core.plugins import PluginEntry, PluginGroup
from selfmva.errors import PluginError

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.datasets.base import MultiViewDataset

DATASETS = PluginGroup("selfmva.datasets", "dataset")


def list_datasets() -> list[PluginEntry]:
    """All registered datasets, by name; none is imported.

    Returns:
        One entry per name and distribution.

    Example:
        >>> [entry.target for entry in list_datasets() if entry.name == "mvor"]
        ['selfmva.datasets.mvor:Mvor']
    """
    return DATASETS.entries()


def load_dataset(name: str, root: str | Path | None = None, **options: Any) -> MultiViewDataset:
    """Build the adapter of a registered dataset.

    Args:
        name: Name of the dataset, see `list_datasets`.
        root: Folder of its files; None for a dataset that needs none.
        **options: Further arguments of the adapter.

    Returns:
        The adapter.

    Raises:
        PluginError: No or more than one dataset has this name, or its plug-in fails or gives something else.
        InputError: `root` is no path, or the adapter does not take these arguments.
        DataError: Its files are missing or damaged.

    Example:
        >>> load_dataset("mvro")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: no dataset is called 'mvro', did you mean 'mvor'? Known: ...
    """
    from selfmva.datasets.reading import is_dataset  # with NumPy, which listing names does without

    arguments = options if root is None else {"root": as_path(root, "root"), **options}
    plugin = DATASETS.find(name)
    dataset: object = plugin.open(**arguments)
    if not is_dataset(dataset):
        raise PluginError(
            f"{plugin} gave {type(dataset).__name__}, expected views, splits, len() and frame(index); update that "
            "distribution or uninstall it"
        )
    return dataset
