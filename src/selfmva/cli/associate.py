"""`selfmva associate`: give every box of a recording the id of its person."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.arguments import (
    add_dataset_options,
    exists,
    frames_of_split,
    load_model,
    positive,
    read_dataset,
)
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json, said, say
from selfmva.cli.detection import (
    MODEL,
    add_detector_options,
    open_videos,
    recall_detector,
    watch_people,
)
from selfmva.cli.named_cameras import in_order_of
from selfmva.cli.progress import progress_of
from selfmva.cli.recordings import rate
from selfmva.cli.results import FORMATS, TABLE, is_folder, result_path
from selfmva.core.view_checks import check_same_sizes
from selfmva.errors import DataError, require

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from selfmva.association.association import Association
    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame
    from selfmva.datasets.base import MultiViewDataset

MODEL_CONFIG = "config.json"  # in the folder of a model
CHECKPOINTS = {".pth", ".tar"}  # of the published code
VIDEO = "mosaic.mp4"
# No model is called so: where there is no such file, its name was mistyped.
VIDEO_ENDINGS = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv"}

EPILOG = """\
examples:
  selfmva associate my-rig --boxes today.csv --out people.csv
  selfmva associate my-rig door.mp4 hall.mp4 --out today
  selfmva associate my-rig --boxes today.json --out people.json --picture pictures --every 50
  selfmva associate wildtrack-model --dataset wildtrack --root data/wildtrack --split test --out people.parquet

Videos and folders called like the views of the model (door.mp4, hall/) may stand in any order; else that of the model.
A folder as --out gets people.csv and, of videos, mosaic.mp4. Without a MODEL, it is the folder selfmva-model.
The table has one row per box: frame, view, view_name, box, id, x1, y1, x2, y2 and, where known, score and track_id.
The .json is the detection format of Self-MVA, with ids as track ids. An id is one person over all cameras and all
times, as far as the past tells; `selfmva track` reads the whole recording first and knows the future, too.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "associate",
        help="say who is who in a recording",
        description="Say which boxes of different cameras are the same person, instant by instant.",
        epilog=EPILOG,
    )
    add_input_options(parser)
    parser.add_argument("--blur", choices=("faces", "people"), help="make them unrecognizable in the video")
    parser.add_argument("--split", help="split of the data set (default: test)")
    parser.add_argument(
        "--out",
        "-o",
        metavar="PATH",
        required=True,
        type=result_path,
        help="the result: a .csv or .parquet table, a .json file, or a folder",
    )
    parser.add_argument("--picture", metavar="DIR", help="also draw instants there")
    parser.add_argument("--every", metavar="N", type=positive, help="draw every N-th instant (default: 1)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Options that say which model, and of which recording."""
    parser.add_argument(
        "inputs",
        metavar="MODEL or VIDEO",
        nargs="*",
        help="a folder made by `selfmva fit` or a hub repository; then videos or folders of images, if any",
    )
    parser.add_argument("--boxes", metavar="FILE", help="boxes of all cameras: .json, .csv, .parquet, or MOT")
    parser.add_argument("--dataset", metavar="NAME", help="a data set that `selfmva datasets` lists, instead of boxes")
    add_dataset_options(parser)
    add_detector_options(parser, remembered=True)
    parser.add_argument("--rate", metavar="R", type=rate, help="images a second of folders (default: 1)")


def check_inputs(args: argparse.Namespace, videos: list[Path]) -> None:
    """Refuse a recording that is given twice or not at all."""
    if (args.dataset is not None) + (args.boxes is not None or bool(videos)) != 1:
        raise UsageError("give either --boxes or --dataset, or videos, or videos and --boxes")
    if args.boxes is not None and args.detector is not None:
        raise UsageError("give the boxes once: with --boxes, or by a --detector")
    if args.split is not None and args.dataset is None:
        raise UsageError("--split goes with --dataset")


def run(args: argparse.Namespace) -> int:
    """Associate and write."""
    model, videos = model_and_videos(args)
    _check(args, model, videos)
    folder = is_folder(args.out)
    table = args.out / TABLE if folder else args.out
    pack, write = FORMATS[table.suffix.lower()]
    parts: list[Any] = []  # probabilities are let go instant by instant, so that a long recording fits into memory
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        associator, stream, rate = _open(args, model, videos, stack)
        stack.enter_context(said("selfmva.association.health"))

        def counted() -> Iterator[Association]:
            for association in stream:
                parts.append(pack(association))
                counts.update(_count(association))
                yield association

        video = args.out / VIDEO if folder and videos else None
        if video is None:
            deque(counted(), maxlen=0)
        else:
            from selfmva.viz import write_mosaic_video

            write_mosaic_video(video, counted(), rate=rate, blur=args.blur)
    if not parts:
        raise DataError("there is no instant: nothing to associate")
    from selfmva.association.health.health import listed

    write(table, parts)
    health = associator.health_
    files = [str(path) for path in (table, video) if path is not None]
    if args.json:
        print_json(
            {
                "out": str(table),
                "video": None if video is None else str(video),
                **counts,
                "pictures": args.picture,
                "problems": health.to_dict()["problems"],
            }
        )
    else:
        print(
            "{boxes} boxes in {instants} instants: {shared} of {people} people are seen in several views".format(
                **counts
            )
        )
        if health.problems:
            print(f"{listed(sorted({p.view for p in health.problems}))} did not fit: `selfmva check` says more")
        print(f"saved to {', '.join(files)}" + ("" if args.picture is None else f", pictures to {args.picture}"))
    return 0


def model_and_videos(args: argparse.Namespace) -> tuple[str, list[Path]]:
    """The model, and the recordings: a first input that cannot be a recording is the model."""
    for first in args.inputs[:1]:
        path = Path(first)
        missing = not exists(first) and path.suffix.lower() not in VIDEO_ENDINGS  # it may be on the hub
        if missing or exists(str(path / MODEL_CONFIG)) or path.suffix in CHECKPOINTS:
            return first, [_existing(text) for text in args.inputs[1:]]
    videos = [_existing(text) for text in args.inputs]
    if videos and not Path(MODEL).is_dir():
        raise UsageError(
            f"no model is given, and there is no folder {MODEL} here: run `selfmva fit` first, or name the model "
            f"before {str(videos[0])!r}"
        )
    return MODEL, videos


def _existing(text: str) -> Path:
    if not exists(text):
        raise UsageError(f"{text!r} does not exist; expected a video or a folder of images")
    return Path(text)


def _check(args: argparse.Namespace, model: str, videos: list[Path]) -> None:
    """Find out before the work what would stop it at its end."""
    check_inputs(args, videos)
    if args.every is not None and args.picture is None:
        raise UsageError("--every goes with --picture")
    if not videos and (args.detector or args.rate or args.blur or args.least_score is not None):
        raise UsageError("--detector, --least-score, --rate and --blur go with videos")
    if videos and args.boxes is None:
        recall_detector(model, args)
    if args.out.suffix.lower() == ".parquet":
        require("pyarrow", "parquet")
    make_folder(args.out if is_folder(args.out) else args.out.parent)
    if args.picture is not None:
        make_folder(args.picture)


def _open(
    args: argparse.Namespace, model: str, videos: list[Path], stack: ExitStack
) -> tuple[Associator, Iterator[Association], float]:
    """The associator, one association after the other, how many are a second; pictures are drawn on the way."""
    from selfmva.association.tracker import with_ids_that_last

    dataset = None if args.dataset is None else read_dataset(args.dataset, args)
    associator = load_model(model, dataset, args.device)
    total, frames, rate = frames_of(args, model, associator, dataset, videos, stack)
    if associator.tables_ is None:
        say(
            "warning",
            f"{model} holds no probabilities to follow people by: ids hold for one instant alone; adapt() learns them",
        )
    found = with_ids_that_last(associator, associator.associate_many(frames))
    progress = stack.enter_context(progress_of(args))

    def associations() -> Iterator[Association]:
        for number, association in enumerate(found):
            if args.picture is not None and number % (args.every or 1) == 0:
                _draw(Path(args.picture) / f"{association.index:06d}.png", association)
            yield association
            progress("associate", number + 1, total)

    return associator, associations(), rate


def frames_of(
    args: argparse.Namespace,
    model: str,
    associator: Associator,
    dataset: MultiViewDataset | None,
    videos: list[Path],
    stack: ExitStack,
) -> tuple[int, Iterator[Frame], float]:
    """Number of the instants of a data set, videos or boxes, their frames, and how many are a second."""
    from selfmva.io.boxes.argument import resolve_boxes

    if dataset is not None:
        return *frames_of_split(dataset, args.split or "test"), 1.0
    boxes = None if args.boxes is None else resolve_boxes(args.boxes, associator.views_)
    if boxes is not None and not boxes:
        raise DataError(f"there is no instant in {args.boxes}: nothing to associate")
    if not videos:
        frames = boxes or []
        return len(frames), iter(frames), 1.0
    reader = stack.enter_context(open_videos(in_order_of(videos, associator.views_, model), args.rate))
    check_same_sizes(reader.views, "the videos are of", associator.views_, "the model was fitted on cameras of")
    total = len(reader) if boxes is None else len(boxes)
    return total, watch_people(reader, args, boxes, stack), reader.rate


def _draw(path: Path, association: Association) -> None:
    from selfmva.viz import draw_association, save_image

    save_image(path, draw_association(association.frame, association.ids, association.views))


def _count(association: Association) -> dict[str, int]:
    """Instants, boxes, people, and people seen in several views."""
    import numpy as np

    ids = np.concatenate(association.ids)
    ids = ids[ids >= 0]
    seen_in = np.unique(ids, return_counts=True)[1]
    return {"instants": 1, "boxes": len(ids), "people": len(seen_in), "shared": int((seen_in > 1).sum())}
