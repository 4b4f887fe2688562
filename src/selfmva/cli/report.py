"""`selfmva report`: a page about a model, and about what it finds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from selfmva.cli.arguments import add_dataset_options, file_ending_in, frames_of_split, load_model, read_dataset
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json
from selfmva.cli.detection import look_at_people
from selfmva.cli.named_cameras import in_order_of
from selfmva.cli.progress import progress_of
from selfmva.cli.recordings import Recording, add_camera_options
from selfmva.core.view_checks import check_same_sizes
from selfmva.errors import require

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame, IntArray
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.training.callbacks import ProgressHook

EPILOG = """\
examples:
  selfmva report my-rig --out report.html
  selfmva report my-rig --boxes today.csv --out report.html
  selfmva report wildtrack-model --dataset wildtrack --root data/wildtrack --split test --out report.html

The page is one file with everything in it. With a labelled data set it has scores, curves and the worst instants; with
boxes alone, how sure the model is and the least confident instants.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "report",
        help="make a page with tables, curves and pictures",
        description="Make an HTML page about a model: what was learnt and, on boxes or a data set, how well it does.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help="of `selfmva fit`, wildtrack, mvor, or a hub repository")
    parser.add_argument("--boxes", metavar="FILE", help="boxes of all cameras: .json, .csv, .parquet, or MOT")
    parser.add_argument("--dataset", metavar="NAME", help="a data set that `selfmva datasets` lists, instead of boxes")
    add_dataset_options(parser)
    parser.add_argument("--split", help="split of the data set (default: test)")
    add_camera_options(parser, required=False)
    parser.add_argument(
        "--out", metavar="FILE", required=True, type=file_ending_in(".html", ".htm"), help="the page, a .html file"
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Associate, score, write."""
    _check(args)
    from selfmva.viz import write_report

    dataset = None if args.dataset is None else read_dataset(args.dataset, args)
    associator = load_model(args.model, dataset, args.device)
    frames, identities = _read(args, associator, dataset)
    with ExitStack() as stack:
        recording = None
        if args.views is not None:
            recording = stack.enter_context(
                Recording(in_order_of(args.views, associator.views_, args.model), args.rate)
            )
            _check_recording(recording, associator, frames)
            if recording.reader is not None:
                frames = list(look_at_people(recording.reader, associator, frames, args.device))
        progress = stack.enter_context(progress_of(args))
        images = recording if recording is not None and recording.has_images else None
        write_report(
            args.out, associator, _watched(frames, progress), identities=identities, images=images, blur=args.blur
        )
    if args.json:
        print_json({"out": str(args.out), "instants": len(frames), "labelled": identities is not None})
    else:
        print(f"saved to {args.out}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Find out before the work what would stop it at its end."""
    if args.boxes is not None and args.dataset is not None:
        raise UsageError("give --boxes or --dataset, not both")
    if args.split is not None and args.dataset is None:
        raise UsageError("--split goes with --dataset")
    if args.views is not None and args.boxes is None and args.dataset is None:
        raise UsageError("--views goes with --boxes or --dataset")
    if args.views is None and (args.blur is not None or args.rate is not None):
        raise UsageError("--blur and --rate go with --views")
    require("jinja2", "viz")
    make_folder(args.out.parent)


def _read(
    args: argparse.Namespace, associator: Associator, dataset: MultiViewDataset | None
) -> tuple[Sequence[Frame], list[tuple[IntArray, ...]] | None]:
    """The frames, and who is in them where anybody is known."""
    if dataset is None:
        if args.boxes is None:
            return [], None
        from selfmva.io.boxes.argument import resolve_boxes

        return resolve_boxes(args.boxes, associator.views_), None
    from selfmva.datasets.base import LabelledDataset

    split = args.split or "test"
    frames = list(frames_of_split(dataset, split)[1])
    if not isinstance(dataset, LabelledDataset):
        return frames, None
    identities = [dataset.identities(index) for index in dataset.splits[split]]
    known = any((part >= 0).any() for instant in identities for part in instant)
    return frames, identities if known else None


def _check_recording(recording: Recording, associator: Associator, frames: Sequence[Frame]) -> None:
    check_same_sizes(associator.views_, "the model was fitted on cameras of", recording.views, "--views are of")
    if frames:
        recording.check_instants(frames[0].index, frames[-1].index, "what is reported on")


def _watched(frames: Sequence[Frame], progress: ProgressHook) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        yield frame
        progress("report", number + 1, len(frames))
