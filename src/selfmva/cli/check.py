"""`selfmva check`: does a model still fit what its cameras see?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from selfmva.cli.arguments import load_model, read_dataset
from selfmva.cli.associate import add_input_options, check_inputs, frames_of, model_and_videos
from selfmva.cli.common import Parser, UsageError, add_output_options, print_json, print_table
from selfmva.cli.detection import recall_detector
from selfmva.cli.progress import progress_of
from selfmva.errors import DataError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from selfmva.core.types import Frame

FITS, DOES_NOT_FIT = 0, 3

EPILOG = """\
examples:
  selfmva check my-rig --boxes today.csv
  selfmva check my-rig door.mp4 hall.mp4
  selfmva check wildtrack-model --dataset wildtrack --root data/wildtrack --split test

A table, one row a view: what it shows, and in brackets what it showed in `fit`. Then what is wrong, since when, and
what to do.

exit codes: 0 all fits, 3 something does not, or nothing can be said
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "check",
        help="say whether a model still fits its cameras",
        description="Say whether cameras were swapped, knocked, mirrored, rescaled and so on since a model was learnt.",
        epilog=EPILOG,
    )
    add_input_options(parser)
    parser.add_argument("--split", help="split of the data set (default: test)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Check and print."""
    from selfmva.association.health.health import HEALTH_COLUMNS

    model, videos = model_and_videos(args)
    _check_arguments(args, videos)
    if videos and args.boxes is None:
        recall_detector(model, args)
    with ExitStack() as stack:
        dataset = None if args.dataset is None else read_dataset(args.dataset, args)
        associator = load_model(model, dataset, args.device)
        total, stream, _ = frames_of(args, model, associator, dataset, videos, stack)
        progress = stack.enter_context(progress_of(args))

        def seen() -> Iterator[Frame]:
            for number, frame in enumerate(stream):
                yield frame
                progress("check", number + 1, total)

        frames = list(seen())
    if not frames:
        raise DataError("there is no instant: nothing to check")
    health = associator.check(frames)
    if args.json:
        print_json(health.to_dict())
    else:
        if health.views:
            print_table(health.rows(), HEALTH_COLUMNS)
        print("\n".join(map(str, health.problems)) or health.summary())
    return FITS if health.ok else DOES_NOT_FIT


def _check_arguments(args: argparse.Namespace, videos: list[Path]) -> None:
    """Find out before the work what would stop it at its end."""
    check_inputs(args, videos)
    if not videos and (args.detector or args.rate or args.least_score is not None):
        raise UsageError("--detector, --least-score and --rate go with videos")
