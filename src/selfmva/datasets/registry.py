"""Find dataset adapters, built in or from plug-ins, by name; listing imports none of them."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from selfmva.errors import InputError, PluginError, SelfMVAError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selfmva.datasets.base import MultiViewDataset

GROUP = "selfmva.datasets"
_TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A dataset that is registered, not necessarily one that works.

    Args:
        name: What `load_dataset` is called with.
        distribution: The installed distribution that registers it.
        target: Where its class is, `module:attribute`.
        error: Why it cannot be loaded, as far as can be told without importing it; None: no reason seen.
    """

    name: str
    distribution: str
    target: str
    error: str | None = None


def list_datasets() -> list[DatasetEntry]:
    """All registered datasets, by name; none is imported.

    Returns:
        One entry per name and distribution.

    Example:
        >>> [entry.target for entry in list_datasets() if entry.name == "mvor"]
        ['selfmva.datasets.mvor:Mvor']
    """
    return [
        DatasetEntry(name, _distribution(point), point.value, _problem(points, point))
        for name, points in sorted(_registered().items())
        for point in points
    ]


def load_dataset(name: str, root: str | Path | None = None, **options: Any) -> MultiViewDataset:
    """Build the adapter of a registered dataset.

    Args:
        name: Name of the dataset, see `list_datasets`.
        root: Folder of its files; None for a dataset that needs none.
        **options: Further arguments of the adapter.

    Returns:
        The adapter.

    Raises:
        PluginError: No or more than one dataset has this name, or its plug-in fails.
        InputError: The adapter does not take these arguments.
        DataError: Its files are missing or damaged.

    Example:
        >>> load_dataset("mvro")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: no dataset is called 'mvro', did you mean 'mvor'? Known: ...
    """
    registered = _registered()
    points = registered.get(name)
    if points is None:
        close = get_close_matches(str(name), registered, n=1)
        hint = f", did you mean {close[0]!r}?" if close else ";"
        raise PluginError(f"no dataset is called {name!r}{hint} Known: {', '.join(sorted(registered)) or 'none'}")
    point = points[0]
    problem = _problem(points, point)
    if problem is not None:
        raise PluginError(f"dataset {name!r} of {_distribution(point)} cannot be loaded: {problem}")
    arguments = options if root is None else {"root": root, **options}
    adapter = _guarded(point, point.load)
    _require_arguments(name, adapter, arguments)
    return _guarded(point, lambda: adapter(**arguments))  # type: ignore[no-any-return]  # check_adapter looks closer


def _registered() -> dict[str, list[EntryPoint]]:
    found: defaultdict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=GROUP):
        found[point.name].append(point)
    return dict(found)


def _distribution(point: EntryPoint) -> str:
    return "an unnamed distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _problem(points: list[EntryPoint], point: EntryPoint) -> str | None:
    if len(points) > 1:
        owners = " and ".join(sorted(_distribution(each) for each in points))
        return f"the name {point.name!r} is registered by {owners}; uninstall one of them"
    if not _TARGET.fullmatch(point.value):
        return f"the entry point {point.value!r} is not of the form module:attribute"
    return None


def _guarded(point: EntryPoint, call: Callable[[], Any]) -> Any:
    """Whatever a plug-in raises becomes an error that names it; our own errors already say what to do."""
    try:
        return call()
    except SelfMVAError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"dataset {point.name!r} ({point.value}) of {_distribution(point)} failed: "
            f"{type(error).__name__}: {error}; update that distribution or uninstall it"
        ) from error


def _require_arguments(name: str, adapter: Any, arguments: dict[str, Any]) -> None:
    try:
        signature = inspect.signature(adapter)
    except (TypeError, ValueError):  # not a callable that can be looked into: calling it will tell
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise InputError(f"dataset {name!r} takes {signature}: {error}") from error
