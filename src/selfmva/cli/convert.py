"""`selfmva convert`: make a model from a checkpoint of the published code."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from selfmva.cli.arguments import camera, cameras
from selfmva.cli.common import Parser, add_output_options, make_folder, print_json
from selfmva.cli.fit import print_report

if TYPE_CHECKING:
    import argparse

    from selfmva.association.associator import Associator
    from selfmva.io.video.view_argument import ViewLike

LICENSE_TEXT = "CC BY-NC-SA 4.0"

EPILOG = """\
examples:
  selfmva convert mvor_edge_geometry_reid.pth.tar --like mvor --out mvor-published
  selfmva convert wildtrack_edge_geometry_reid.pth.tar --like wildtrack --adapt detections.csv --out my-rig
  selfmva convert best.pth.tar --views door:1920x1080 hall:1280x720 --out my-rig

Cameras are in the order of the checkpoint, their sizes those of the images it was trained on. The weights that the
authors of Self-MVA publish are under CC BY-NC-SA 4.0: that licence stays with the converted ones.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "convert",
        help="make a model from published weights",
        description="Turn a checkpoint of the published Self-MVA code into a folder that all other commands take. "
        "Only tensors and plain values are read from it.",
        epilog=EPILOG,
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a .pth.tar file")
    views = parser.add_mutually_exclusive_group(required=True)
    views.add_argument(
        "--views",
        metavar="CAMERA",
        nargs="+",
        type=camera,
        help="one per camera: NAME:WIDTHxHEIGHT, WIDTHxHEIGHT, a folder of images or a video file",
    )
    views.add_argument("--like", choices=("wildtrack", "mvor"), help="the cameras of this data set")
    parser.add_argument(
        "--adapt",
        metavar="BOXES",
        help="boxes of these cameras, without labels, from which to learn what its distances mean: .json, .csv, "
        ".parquet, or MOT",
    )
    parser.add_argument("--out", "-o", metavar="FOLDER", required=True, help="where the result is saved")
    parser.add_argument("--device", default="cpu", help="where --adapt computes: cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser, progress=False)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Convert, adapt where that is asked for, and save."""
    from selfmva.hub import convert_upstream

    associator = convert_upstream(args.checkpoint, _views(args), device=args.device)
    if args.adapt is not None:
        associator.adapt(args.adapt)
    associator.save_pretrained(make_folder(args.out))
    if args.json:
        print_json(_summary(args, associator))
    else:
        _print(args, associator)
    return 0


def _views(args: argparse.Namespace) -> list[ViewLike]:
    from selfmva.datasets.mvor import MVOR_VIEWS
    from selfmva.datasets.wildtrack import WILDTRACK_VIEWS

    if args.like is not None:
        return list({"mvor": MVOR_VIEWS, "wildtrack": WILDTRACK_VIEWS}[args.like])
    return cameras(args.views)


def _summary(args: argparse.Namespace, associator: Associator) -> dict[str, object]:
    calibrated = associator.tables_ is not None
    return {
        "model": args.out,
        "views": [asdict(view) for view in associator.views_],
        "prompt": associator.get_params()["encoder"].prompt,
        "calibrated": calibrated,
        "report": associator.fit_report_.to_dict() if calibrated else None,
        "license": LICENSE_TEXT,
    }


def _print(args: argparse.Namespace, associator: Associator) -> None:
    if associator.tables_ is not None:
        print_report(associator.fit_report_)
        print()
    sizes = ", ".join(f"{view.name} {view.width} x {view.height}" for view in associator.views_)
    print(f"{len(associator.views_)} views: {sizes}")
    print(f"licence: the authors' weights are under {LICENSE_TEXT}, which stays with the converted ones")
    print(f"saved to {args.out}")
    if associator.tables_ is None:
        print(
            "\nIt embeds at once but holds no probabilities: convert with --adapt BOXES to learn them, without labels."
        )
    else:
        print(f"\nNext: selfmva associate {args.out} --boxes today.csv --out people.csv")
