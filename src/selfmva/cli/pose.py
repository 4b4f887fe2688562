"""`selfmva pose`: where the joints of people are, in three dimensions, over a recording."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.arguments import (
    add_dataset_options,
    exists,
    frames_of_split,
    load_model,
    read_dataset,
)
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json, said
from selfmva.cli.progress import progress_of
from selfmva.cli.recordings import rate
from selfmva.cli.results import write_table
from selfmva.errors import DataError, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.pose import PoseTracks

POSE_TABLE, POSE_ARRAYS, LIMB_TABLE = "poses.csv", "poses.npz", "limbs.csv"  # in a folder
SPACE_VIDEO, VIEWS_PICTURE = "poses.mp4", "views.png"
ENDINGS = (".csv", ".parquet", ".npz")
VIDEO_RATE = 25.0  # instants a second of a video where --rate doesn't say it

EPILOG = """\
examples:
  selfmva pose my-rig keypoints/ --out poses.csv
  selfmva pose my-rig keypoints/ --rate 25 --body-height 1.72 --fill 10 --c3d --out today
  selfmva pose my-rig --dataset simulated --option skeleton=coco17 --out poses.npz

KEYPOINTS is a folder with one folder or file for each view of the model, named like it: JSON folders of OpenPose or
Pose2Sim, or a JSON of COCO, AlphaPose or MMPose. A folder as --out gets poses.npz, poses.csv, limbs.csv (how long
everybody's limbs are), views.png and poses.mp4 to look at; and trc/ where --rate is given and lengths are known.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "pose",
        help="say where the joints of people are, in three dimensions",
        description="Associate, follow and triangulate people from keypoints of several cameras; smooth them over "
        "time, with limbs that keep their lengths.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help="a folder made by `selfmva fit`, of keypoints")
    parser.add_argument("keypoints", metavar="KEYPOINTS", nargs="?", help="a folder of keypoints of all views")
    parser.add_argument("--dataset", metavar="NAME", help="a data set with keypoints, instead of a folder")
    add_dataset_options(parser)
    parser.add_argument("--split", help="split of the data set (default: test)")
    parser.add_argument(
        "--out",
        "-o",
        metavar="PATH",
        required=True,
        type=_pose_path,
        help="the result: a .csv or .parquet table, a .npz file, or a folder",
    )
    parser.add_argument("--rate", metavar="R", type=rate, help="instants a second")
    parser.add_argument(
        "--body-height", metavar="M", type=float, help="mean height of the people in metres, where the model knows none"
    )
    parser.add_argument("--raw", action="store_true", help="neither smooth joints nor keep limbs as long as they are")
    parser.add_argument(
        "--fill", metavar="N", type=_count, default=0, help="fill gaps of joints of up to N instants (default: 0)"
    )
    parser.add_argument("--c3d", action="store_true", help="also write c3d/, a C3D file for each person")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Find poses and write them."""
    _check(args)
    dataset = None if args.dataset is None else read_dataset(args.dataset, args)
    associator = load_model(args.model, dataset, args.device)
    frames = _frames(args, associator, dataset)
    with progress_of(args) as progress, said("selfmva.association.health"):
        tracks = _poses(args, associator, frames, progress)
    files = _write(tracks, args, associator, frames)
    people = sum(map(len, tracks))
    if args.json:
        print_json(
            {
                "out": files,
                "instants": len(tracks),
                "people": len(tracks.people),
                "poses": people,
                "unit": tracks.unit,
                "reprojection_error": _median_miss(tracks),
            }
        )
    else:
        print(f"{tracks!r}")
        print(f"{people} poses; joints are {_median_miss(tracks):.1f} pixels (median) from where cameras see them")
        print(f"saved to {', '.join(files)}")
    return 0


def _poses(args: argparse.Namespace, associator: Associator, frames: Sequence[Frame], progress: Any) -> PoseTracks:
    from selfmva.pose import PoseTracks

    floor = associator.floor_
    if args.body_height is not None and floor is not None and associator.model_.unit != "metres":
        associator.floor_ = replace(floor, unit=args.body_height)
    tracks = PoseTracks.of(associator.poses_many(associator.track(frames, progress=progress)))
    return tracks if args.raw else tracks.refined(longest_gap=args.fill)


def _frames(args: argparse.Namespace, associator: Associator, dataset: MultiViewDataset | None) -> list[Frame]:
    if dataset is not None:
        frames = list(frames_of_split(dataset, args.split or "test")[1])
    else:
        from selfmva.io.keypoints.any_format import read_keypoints

        frames = read_keypoints(args.keypoints, associator.views_)
    if not frames:
        raise DataError("there is no instant: nothing to find poses of")
    if all(frame.keypoints is None for frame in frames):
        raise DataError(f"the data set {args.dataset} has no keypoints")
    return frames


def _write(tracks: PoseTracks, args: argparse.Namespace, associator: Associator, frames: Sequence[Frame]) -> list[str]:
    """Write what was found; returns the files."""
    ending = args.out.suffix.lower()
    if ending == ".npz":
        tracks.save(args.out)
        return [str(args.out)]
    if ending in ENDINGS:
        write_table(args.out, [tracks.to_dataframe()])
        return [str(args.out)]
    tracks.save(args.out / POSE_ARRAYS)
    write_table(args.out / POSE_TABLE, [tracks.to_dataframe()])
    write_table(args.out / LIMB_TABLE, [tracks.limb_lengths()])
    files = [args.out / name for name in (POSE_ARRAYS, POSE_TABLE, LIMB_TABLE)]
    files += _draw(tracks, args, associator, frames)
    if args.rate is not None and tracks.unit == "metres":
        tracks.to_trc(args.out / "trc", frames_per_second=args.rate)
        files.append(args.out / "trc")
    if args.c3d:
        tracks.to_c3d(args.out / "c3d", frames_per_second=args.rate)
        files.append(args.out / "c3d")
    return list(map(str, files))


def _draw(tracks: PoseTracks, args: argparse.Namespace, associator: Associator, frames: Sequence[Frame]) -> list[Path]:
    """The instant with most joints in all views, and a video in space."""
    import numpy as np

    from selfmva.viz import draw_poses, save_image, write_pose_video

    joints = [int(np.isfinite(one.joints).all(axis=-1).sum()) for one in tracks]
    best = int(np.argmax(joints))
    cameras = associator.cameras_
    picture = draw_poses(tracks.poses[best], cameras, associator.views_, frame=frames[best])
    save_image(args.out / VIEWS_PICTURE, picture)
    video = args.out / SPACE_VIDEO
    write_pose_video(video, tracks, rate=args.rate or VIDEO_RATE, cameras=cameras)
    return [args.out / VIEWS_PICTURE, video]


def _median_miss(tracks: PoseTracks) -> float:
    import numpy as np

    errors = [one.reprojection_errors for one in tracks if one.reprojection_errors is not None]
    known = np.concatenate([np.zeros(0), *(part[np.isfinite(part)] for part in errors)])
    return float(np.median(known)) if len(known) else float("nan")


def _check(args: argparse.Namespace) -> None:
    """Find out before the work what would stop it at its end."""
    if (args.dataset is None) == (args.keypoints is None):
        raise UsageError("give either a folder of keypoints, or --dataset")
    if args.split is not None and args.dataset is None:
        raise UsageError("--split goes with --dataset")
    if args.keypoints is not None and not exists(args.keypoints):
        raise UsageError(f"{args.keypoints!r} does not exist; expected a folder of keypoints")
    if args.raw and args.fill:
        raise UsageError("--fill goes with smoothing: leave out --raw")
    if args.body_height is not None and not 0 < args.body_height < 10:
        raise UsageError(f"--body-height must be metres above 0, got {args.body_height}")
    folder = args.out.suffix.lower() not in ENDINGS
    if args.c3d:
        if not folder or args.rate is None:
            raise UsageError("--c3d goes with a folder as --out, and with --rate")
        require("c3d", "c3d")
    if args.out.suffix.lower() == ".parquet":
        require("pyarrow", "parquet")
    make_folder(args.out if folder else args.out.parent)


def _pose_path(text: str) -> Path:
    """Read where poses go: a file of a known ending, or a folder."""
    path = Path(text)
    if path.suffix.lower() not in {"", *ENDINGS} and not text.endswith("/") and not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"expected a file that ends in {', '.join(ENDINGS)}, or a folder, got {text!r}"
        )
    return path


def _count(text: str) -> int:
    """Read a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {text!r}")
    return int(text)
