"""`selfmva fit`: learn from a recording and save what was learnt."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.arguments import add_dataset_options, camera, cameras, read_dataset
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json, print_table
from selfmva.cli.detection import (
    MODEL,
    add_detector_options,
    find_people,
    open_chosen,
    remember_detector,
)
from selfmva.cli.pictures import save_floor
from selfmva.cli.progress import progress_of
from selfmva.cli.settings import add_setting_options, read_settings
from selfmva.errors import DataError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from selfmva.association.fit_report import FitReport
    from selfmva.core.types import Frame

CHECKPOINT, BOXES = "checkpoint.safetensors", "boxes.csv"
PICTURED = 100  # instants, the last ones of the recording

EPILOG = """\
examples:
  selfmva fit --views door:1920x1080 hall:1280x720 --boxes boxes.csv --out my-rig
  selfmva fit door.mp4 hall.mp4 --detector onnx:yolox_nano.onnx --appearance osnet-ain --out my-rig
  selfmva fit --views cam01:1088x1920 cam02:1088x1920 --keypoints pose --set geometry.body_height=1.72
  selfmva fit --dataset wildtrack --root data/wildtrack --out wildtrack-model --device auto
  selfmva fit --dataset simulated --option people=5 --set recipe.steps=500 --out simulated-model
  selfmva fit --dataset mvor --root data/mvor --out mvor-model --recipe published --resume
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "fit",
        help="learn from a recording",
        description="Learn which boxes are the same person from a recording of synchronized cameras, without labels, "
        "and save what was learnt. Give a data set by name, whose training split is read, or cameras and boxes, or "
        "videos and a detector.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "videos", metavar="VIDEO", nargs="*", type=camera, help="synchronized videos or folders of images, as --views"
    )
    source = parser.add_argument_group("the recording")
    source.add_argument("--dataset", metavar="NAME", help="a data set that `selfmva datasets` lists")
    add_dataset_options(source)
    source.add_argument(
        "--views",
        metavar="CAMERA",
        nargs="+",
        type=camera,
        help="one per camera: NAME:WIDTHxHEIGHT, WIDTHxHEIGHT, a folder of images or a video file",
    )
    source.add_argument("--boxes", metavar="FILE", help="boxes of all cameras: .json, .csv, .parquet, or MOT")
    source.add_argument(
        "--keypoints", metavar="FOLDER", help="keypoints of all cameras, a folder or file for each, instead of boxes"
    )
    add_detector_options(source, remembered=False)
    source.add_argument(
        "--appearance",
        metavar="NAME",
        help="also learn from what people look like: osnet-ain, onnx:re-id.onnx, torchvision:MODEL, or another that "
        "`selfmva encoders` lists",
    )
    parser.add_argument(
        "--out", "-o", metavar="FOLDER", default=MODEL, help=f"where the result is saved (default: {MODEL})"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help=f"state of the training (default: FOLDER/{CHECKPOINT}, removed at the end)",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint where there is one")
    add_setting_options(parser)
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Fit and save."""
    _check(args)
    from selfmva.association.associator import Associator
    from selfmva.io.boxes.any_format import write_boxes

    settings = read_settings(args)
    if args.appearance is not None:
        settings["appearance"] = settings["appearance"].model_copy(update={"encoder": args.appearance})
    associator = Associator(**settings)
    detector = None if args.detector is None else open_chosen(args)
    recording = [] if detector else _read(args)
    folder = make_folder(args.out)  # before the work: hours of training need a place to go
    checkpoint = args.checkpoint or folder / CHECKPOINT
    if checkpoint.is_dir():
        raise DataError(f"--checkpoint {checkpoint} is a folder; expected a file, which need not exist")
    make_folder(checkpoint.parent)
    with progress_of(args) as progress, _interruption_explained(checkpoint, resumed=args.resume):
        if detector is not None:
            looks = associator.get_params()["appearance"]
            recording = [*find_people(args.views, args, detector, looks, partial(progress, "detect"))]
        associator.fit(*recording, checkpoint=checkpoint, resume=args.resume, progress=progress)
    associator.save_pretrained(folder)
    remember_detector(folder, args)
    if detector is not None:
        write_boxes(folder / BOXES, recording[1], associator.views_)
    picture = save_floor(folder, associator, _last_frames(*recording))
    if args.checkpoint is None:
        checkpoint.unlink(missing_ok=True)  # three times as large as the model, and of no more use
    report = associator.fit_report_
    if args.json:
        views = [asdict(view) for view in associator.views_]
        floor = None if picture is None else str(picture)
        print_json({"model": str(folder), "views": views, "report": report.to_dict(), "floor_picture": floor})
    else:
        print_report(report)
        print("" if picture is None else f"\npicture of the floor: {picture}")
        print(f"saved to {folder} in {report.seconds:.0f} s")
    return 0


def print_report(report: FitReport) -> None:
    """Print a fit report as a table, and what to do where something was not found."""
    from selfmva.association.fit_report import REPORT_COLUMNS

    print(f"Learnt: {report.summary()}.\n")
    print_table(report.rows(), REPORT_COLUMNS)
    advice = report.advice()
    if advice:
        print(f"\n{advice[0].upper()}{advice[1:]}.")


def _check(args: argparse.Namespace) -> None:
    """Find out what is given, and that it fits together."""
    if args.videos:
        if args.views is not None:
            raise UsageError("give the cameras once: as videos, or with --views")
        args.views = args.videos
    sources = sum(source is not None for source in (args.boxes, args.keypoints, args.detector))
    if (args.dataset is None) == (args.views is None) or sources != (args.views is not None):
        raise UsageError("give either --dataset, or --views and --boxes or --keypoints, or videos and --detector")
    if args.detector is None and (args.least_score is not None or args.rate is not None):
        raise UsageError("--least-score and --rate go with --detector")


def _read(args: argparse.Namespace) -> list[Any]:
    """What `Associator.fit` takes: a data set, or views and frames."""
    if args.dataset is not None:
        return [read_dataset(args.dataset, args)]
    from selfmva.io.boxes.argument import resolve_boxes
    from selfmva.io.video.view_argument import resolve_views

    entries = cameras(args.views)  # appearance reads the images of those that are files
    if args.keypoints is not None:
        from selfmva.io.keypoints.any_format import read_keypoints

        return [entries, read_keypoints(args.keypoints, resolve_views(entries))]
    return [entries, resolve_boxes(args.boxes, resolve_views(entries))]


def _last_frames(source: Any, frames: list[Frame] | None = None) -> Iterator[Frame]:
    """The last instants of what was learnt from."""
    if frames is not None:
        yield from frames[-PICTURED:]
        return
    indices = source.splits.get("train", range(len(source)))
    yield from (source.frame(index) for index in indices[-PICTURED:])


@contextmanager
def _interruption_explained(checkpoint: Path, *, resumed: bool) -> Iterator[None]:
    """Say where the state of a training is that was interrupted; not where an older training left one."""
    before = _written_at(checkpoint)
    try:
        yield
    except KeyboardInterrupt:
        now = _written_at(checkpoint)
        if now is None or (now == before and not resumed):
            raise
        raise KeyboardInterrupt(
            f"the last checkpoint is {checkpoint}; the same command with --resume goes on from it"
        ) from None


def _written_at(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None
