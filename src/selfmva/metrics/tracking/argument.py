"""What users have of who is where: read as trajectories, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from selfmva.association.association import Association
from selfmva.core.arguments import offers
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.types import Frame
from selfmva.datasets.reading import is_dataset
from selfmva.errors import InputError
from selfmva.io.boxes.any_format import read_boxes
from selfmva.io.boxes.table import load_table
from selfmva.metrics.tracking.columns import ids_of_frames
from selfmva.metrics.tracking.trajectories import Trajectories

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@runtime_checkable
class HasTable(Protocol):
    """What gives a tidy table of its tracks."""

    def to_dataframe(self) -> pd.DataFrame:
        """One row per box."""
        ...


def as_trajectories(given: Any, what: str) -> Trajectories:
    """Read trajectories from what `score` takes.

    Args:
        given: See `score`.
        what: `"truth"`, of which files in MOT text are read as ground truth, or `"found"`.

    Raises:
        InputError: It is nothing that is read here.
        DataError: A file is missing or damaged.

    Example:
        >>> as_trajectories(3, "truth")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: truth must be Trajectories, a table, a pair (frames, ids), or files, got 3
    """
    try:
        return _read(given, truth=what == "truth")
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    except _NothingKnownError:
        raise InputError(
            f"{what} must be Trajectories, a table, a pair (frames, ids), or files, got {shown(given)}"
        ) from None


class _NothingKnownError(Exception):
    """What was given is of no kind that is read here."""


def _read(given: Any, *, truth: bool) -> Trajectories:
    if isinstance(given, Trajectories):
        return given
    if isinstance(given, str | os.PathLike):
        return _read_file(as_path(given, "the path of tracks"), truth=truth)
    if is_dataset(given):
        raise InputError("a dataset has splits: give Trajectories.from_dataset(dataset, split)")
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        return Trajectories.from_table(given)
    if offers(given, HasTable):
        return Trajectories.from_table(given.to_dataframe())
    if isinstance(given, list | tuple) and len(given):
        return _read_sequence(given, truth=truth)
    raise _NothingKnownError


def _read_file(path: Path, *, truth: bool) -> Trajectories:
    ending = path.suffix.lower()
    if ending in {".csv", ".parquet"}:
        return Trajectories.from_table(load_table(path))
    if ending == ".json":
        frames = read_boxes(path)
        return Trajectories.from_frames(frames, ids_of_frames(frames))
    return Trajectories.from_mot(path, truth=truth)


def _read_sequence(given: list[Any] | tuple[Any, ...], *, truth: bool) -> Trajectories:
    if all(isinstance(entry, str | os.PathLike) for entry in given):
        return Trajectories.from_mot(list(given), truth=truth)
    if all(isinstance(entry, Association) for entry in given):
        return Trajectories.from_frames([entry.frame for entry in given], [entry.ids for entry in given])
    if all(isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], Frame) for entry in given):
        return Trajectories.from_frames([frame for frame, _ in given], [ids for _, ids in given])
    if (
        len(given) == 2
        and isinstance(given[0], Sequence)
        and given[0]
        and all(isinstance(frame, Frame) for frame in given[0])
    ):
        return Trajectories.from_frames(*given)
    raise _NothingKnownError
