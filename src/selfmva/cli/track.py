"""`selfmva track`: follow everybody through a recording."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from selfmva.cli.arguments import load_model, read_dataset
from selfmva.cli.associate import add_input_options, check_inputs, frames_of, model_and_videos
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json, said
from selfmva.cli.detection import recall_detector
from selfmva.cli.progress import progress_of
from selfmva.cli.results import is_folder, result_path, write_table
from selfmva.errors import DataError, require

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from selfmva.association.tracks import Tracks
    from selfmva.core.types import Frame

TRACKS_TABLE = "tracks.csv"  # in a folder
MOT = "mot"  # beside it

EPILOG = """\
examples:
  selfmva track my-rig --boxes today.csv --out tracks.csv
  selfmva track my-rig door.mp4 hall.mp4 --out today
  selfmva track wildtrack-model --dataset wildtrack --root data/wildtrack --split test --out tracks.parquet

An id is one person over all cameras and all times. The table has one row per box: frame, view, view_name, box, id, x1,
y1, x2, y2, score, confidence, floor_x, floor_y, speed. A folder as --out gets tracks.csv, and mot/ with a MOTChallenge
file for each camera. A .json is a COCO file. Videos and folders go with cameras as in `selfmva associate`.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "track",
        help="say who is who over a whole recording",
        description="Give everybody an id that lasts, over all cameras and all times.",
        epilog=EPILOG,
    )
    add_input_options(parser)
    parser.add_argument("--split", help="split of the data set (default: test)")
    parser.add_argument(
        "--out",
        "-o",
        metavar="PATH",
        required=True,
        type=result_path,
        help="the result: a .csv or .parquet table, a .json file, or a folder",
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Follow and write."""
    model, videos = model_and_videos(args)
    _check(args, model, videos)
    with ExitStack() as stack:
        dataset = None if args.dataset is None else read_dataset(args.dataset, args)
        associator = load_model(model, dataset, args.device)
        total, stream, _ = frames_of(args, model, associator, dataset, videos, stack)
        stack.enter_context(said("selfmva.association.health"))
        progress = stack.enter_context(progress_of(args))

        def seen() -> Iterator[Frame]:
            for number, frame in enumerate(stream):
                yield frame
                progress("associate", number + 1, total)

        tracks = associator.track(seen(), progress=progress)
    if not len(tracks):
        raise DataError("there is no instant: nothing to track")
    files = _write(tracks, args.out)
    if args.json:
        print_json(
            {
                "out": files,
                "instants": len(tracks),
                "people": len(tracks.people),
                "problems": associator.health_.to_dict()["problems"],
            }
        )
    else:
        print(f"{tracks!r}")
        print(f"saved to {', '.join(files)}")
    return 0


def _write(tracks: Tracks, out: Path) -> list[str]:
    """Write what was found; returns the files."""
    if is_folder(out):
        write_table(out / TRACKS_TABLE, [tracks.to_dataframe()])
        tracks.to_mot(out / MOT)
        return [str(out / TRACKS_TABLE), str(out / MOT)]
    if out.suffix.lower() == ".json":
        tracks.to_coco(out)
    else:
        write_table(out, [tracks.to_dataframe()])
    return [str(out)]


def _check(args: argparse.Namespace, model: str, videos: list[Path]) -> None:
    """Find out before the work what would stop it at its end."""
    check_inputs(args, videos)
    if not videos and (args.detector or args.rate or args.least_score is not None):
        raise UsageError("--detector, --least-score and --rate go with videos")
    if videos and args.boxes is None:
        recall_detector(model, args)
    if args.out.suffix.lower() == ".parquet":
        require("pyarrow", "parquet")
    make_folder(args.out if is_folder(args.out) else args.out.parent)
