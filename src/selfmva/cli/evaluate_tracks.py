"""The part of `selfmva evaluate` that scores ids over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.arguments import exists, read_dataset
from selfmva.cli.associate import MODEL_CONFIG
from selfmva.cli.common import UsageError, print_json
from selfmva.errors import DataError

if TYPE_CHECKING:
    import argparse

    from selfmva.metrics.tracking.trajectories import Trajectories

TRACKS_ENDINGS = {".csv", ".parquet", ".json", ".txt"}


def are_tracks(path: str) -> bool:
    """Whether a path is that of tracks, not of a model: a table, a file of boxes, or a folder of MOT text.

    Example:
        >>> are_tracks("tracks.csv"), are_tracks("my-rig"), are_tracks("published.pth.tar")
        (True, False, False)
    """
    given = Path(path)
    if given.suffix.lower() in TRACKS_ENDINGS:
        return True
    return exists(path) and given.is_dir() and not (given / MODEL_CONFIG).exists() and any(given.glob("*.txt"))


def score_tracks(args: argparse.Namespace) -> int:
    """Score and print."""
    if args.protocol != "calibrated" or args.similarity_threshold is not None:
        raise UsageError("--protocol and --similarity-threshold go with a model; tracks are scored as tracks")
    from selfmva.metrics.tracking import score
    from selfmva.metrics.tracking.argument import as_trajectories

    truth, found = _truth(args), as_trajectories(args.model, "found")
    if len(found) and not set(found.frames.tolist()) & set(truth.all_instants.tolist()):
        raise DataError(
            f"{args.model} has instants {found.frames.min()} to {found.frames.max()}, the truth has "
            f"{truth.all_instants.min()} to {truth.all_instants.max()}: none in common"
        )
    scores = score(truth, found, instants=truth.all_instants)
    if args.json:
        table: Any = scores.to_dataframe().to_dict(orient="index")
        print_json({"tracks": args.model, "truth": args.truth, "dataset": args.dataset, "scores": table})
    else:
        print(scores.summary())
    return 0


def _truth(args: argparse.Namespace) -> Trajectories:
    from selfmva.datasets.base import LabelledDataset
    from selfmva.metrics.tracking import Trajectories
    from selfmva.metrics.tracking.argument import as_trajectories

    if args.truth is not None:
        return as_trajectories(args.truth, "truth")
    dataset = read_dataset(args.dataset, args)
    if not isinstance(dataset, LabelledDataset):
        raise DataError(f"the data set {args.dataset} does not say who is in its boxes: nothing to score against")
    return Trajectories.from_dataset(dataset, args.split)
