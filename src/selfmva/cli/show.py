"""`selfmva show`: a picture or a video of who is who."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from selfmva.cli.arguments import positive
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json
from selfmva.cli.named_cameras import say_order
from selfmva.cli.progress import progress_of
from selfmva.cli.recordings import Recording, add_camera_options
from selfmva.core.messages import shown
from selfmva.core.view_names import find_views
from selfmva.errors import DataError, InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from selfmva.association.association import Association
    from selfmva.core.types import View
    from selfmva.training.callbacks import ProgressHook

WIDEST = 16_384  # pixels: no codec takes more
VIDEOS, PICTURES = (".mp4", ".avi"), (".png", ".jpg", ".jpeg")

EPILOG = """\
examples:
  selfmva show people.csv --views door:1920x1080 hall:1280x720 --out people.mp4
  selfmva show people.csv --views door:1920x1080 hall:1280x720 --out one.png --instant 120 --blur faces
  selfmva show people.csv --views door:1920x1080 hall:1280x720 --out videos

The number of an instant in the result is that of the images: 0 is the first instant of videos in step.
Numbers and colours are the ids of the file: those of `selfmva associate` and `selfmva track` last.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "show",
        help="draw who is who, as a video or a picture",
        description="Draw what `selfmva associate` found over the images: all views side by side, the same person in "
        "the same colour.",
        epilog=EPILOG,
    )
    what = "a .csv, .parquet or .json file of `selfmva associate`, or a table of `selfmva track`"
    parser.add_argument("result", metavar="RESULT", help=what)
    add_camera_options(parser, required=True)
    parser.add_argument(
        "--out",
        metavar="PATH",
        required=True,
        type=Path,
        help="a .mp4 or .avi video, a .png or .jpg picture of one instant, or a folder for one video per camera",
    )
    parser.add_argument(
        "--instant",
        metavar="N",
        type=int,
        help="which instant to draw as a picture (default: one with most people seen in several views)",
    )
    parser.add_argument("--width", metavar="W", type=positive, help="of a video or picture in pixels (default: 1600)")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Read, draw, write."""
    ending = args.out.suffix.lower()
    _check(args, ending)
    with Recording(args.views, args.rate) as recording:
        people = read_people(args.result, recording.views)
        recording.check_instants(people[0].index, people[-1].index, args.result)
        make_folder(args.out.parent if ending else args.out)
        with progress_of(args) as progress:
            files = _draw(args, ending, people, recording, progress)
    if args.json:
        print_json({"files": [str(file) for file in files], "instants": 1 if ending in PICTURES else len(people)})
    else:
        print(f"saved to {', '.join(map(str, files))}")
    return 0


def read_people(path: str, views: Sequence[View]) -> list[Association]:
    """What `selfmva associate` wrote: boxes and ids, without probabilities.

    Args:
        path: A `.csv`, `.parquet` or `.json` file; ids are in the column `id`, or else in track ids.
        views: The cameras.

    Returns:
        One association per instant, one at least.

    Raises:
        DataError: The file is missing or damaged, or has no instants or no ids.
        InputError: A box is outside its view.
    """
    from selfmva.association.association import Association
    from selfmva.core.types import clip_to_views
    from selfmva.io.boxes.any_format import read_boxes
    from selfmva.io.boxes.table import frames_from_table, load_table

    if Path(path).suffix.lower() in {".csv", ".parquet"}:
        table = load_table(path)
        if "id" in table.columns:
            table = table.assign(track_id=table["id"])
        frames = frames_from_table(_known_by_number(table, views, path), views, source=path)
    else:
        frames = read_boxes(path, views)
    if not frames:
        raise DataError(f"there is no instant in {path}: nothing to draw")
    people = []
    for frame in frames:
        if frame.track_ids is None:
            raise DataError(f"{path} has no ids; give the file that `selfmva associate` wrote")
        people.append(Association(clip_to_views(frame, views), tuple(views), frame.track_ids, {}))
    return people


def _known_by_number(table: pd.DataFrame, views: Sequence[View], path: str) -> pd.DataFrame:
    """The table without the names of its views where no camera is called like any, so that their numbers count."""
    if not {"view", "view_name"} <= set(table.columns):
        return table
    names = [str(name) for name in table["view_name"].dropna().unique()]
    if not names or any(place is not None for place in find_views(names, [view.name for view in views])):
        return table
    if any(view.name != f"view{number}" for number, view in enumerate(views)):  # else none was given a name
        _say_numbers(table, views, path)
    return table.drop(columns="view_name")


def _say_numbers(table: pd.DataFrame, views: Sequence[View], path: str) -> None:
    taken = dict(zip(table["view"].astype(str), table["view_name"].astype(str), strict=True))
    known = [(views[int(number)].name, taken[number]) for number in sorted(taken) if _is_place(number, len(views))]
    say_order([camera for camera, _ in known], [name for _, name in known], f"a view of {path}")


def _is_place(number: str, count: int) -> bool:
    return number.isdecimal() and int(number) < count


def _check(args: argparse.Namespace, ending: str) -> None:
    """Find out before the work what would stop it at its end."""
    if ending not in ("", *VIDEOS, *PICTURES):
        raise UsageError(f"--out must end in {', '.join(VIDEOS + PICTURES)} or name a folder, got '{args.out}'")
    if args.instant is not None and ending not in PICTURES:
        raise UsageError("--instant goes with a picture as --out")
    if args.width is not None and args.width > WIDEST:
        raise UsageError(f"--width must be at most {WIDEST} pixels, got {shown(args.width)}")
    if args.width is not None and not ending:
        raise UsageError("--width goes with a video or picture of all cameras: one of each keeps its size")


def _draw(
    args: argparse.Namespace, ending: str, people: list[Association], recording: Recording, progress: ProgressHook
) -> list[Path]:
    """Draw what the ending asks for; the files that were written."""
    from selfmva.viz import draw_association, save_image, write_mosaic_video, write_view_videos
    from selfmva.viz.video import images_of

    images, width = recording if recording.has_images else None, args.width or 1600
    if ending in PICTURES:
        chosen = _chosen(people, args.instant, args.result)
        shown = images_of(chosen, images)
        picture = draw_association(chosen.frame, chosen.ids, chosen.views, shown, width=width, blur=args.blur)
        save_image(args.out, picture)
        return [args.out]
    drawn, rate = _watched(people, progress), recording.rate / _step(people)
    if ending:
        write_mosaic_video(args.out, drawn, images, rate=rate, width=width, blur=args.blur)
        return [args.out]
    return write_view_videos(args.out, drawn, images, rate=rate, blur=args.blur)


def _chosen(people: list[Association], instant: int | None, source: str) -> Association:
    """The instant that is asked for, or the first one with most people in several views."""
    if instant is None:
        return max(people, key=lambda found: sum(len(person) > 1 for person in found.groups()))
    found = [association for association in people if association.index == instant]
    if not found:
        raise InputError(
            f"{source} has nothing of instant {instant}; its instants are {people[0].index} to {people[-1].index}"
        )
    return found[0]


def _step(people: list[Association]) -> float:
    """The usual distance of successive instants, so that every tenth one is not shown ten times as fast."""
    import numpy as np

    numbers = [association.index for association in people]
    return float(np.median(np.diff(numbers))) if len(numbers) > 1 else 1.0


def _watched(people: list[Association], progress: ProgressHook) -> Iterator[Association]:
    for number, association in enumerate(people):
        yield association
        progress("show", number + 1, len(people))
