"""`selfmva export`: write the geometric encoder of a model as an ONNX file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from selfmva.cli.arguments import file_ending_in, load_model
from selfmva.cli.common import Parser, add_output_options, make_folder, print_json
from selfmva.errors import require

if TYPE_CHECKING:
    import argparse

EPILOG = """\
examples:
  selfmva export my-rig encoder.onnx
  selfmva export my-rig encoder.onnx --json

Inputs are boxes (N, 4) float32, xyxy in pixels, and view (N,) int64; the output is embeddings (N, 768) float32.
Matching and probabilities are not part of the file.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "export",
        help="write the encoder of boxes as ONNX",
        description="Write the geometric encoder of a model as an ONNX file, for programs without Python or torch.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help="of `selfmva fit`, wildtrack, mvor, or a hub repository")
    parser.add_argument("out", metavar="FILE", type=file_ending_in(".onnx"), help="the .onnx file to be written")
    add_output_options(parser, progress=False)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Load and write."""
    require("onnx", "export")
    from selfmva.association.pretrained.onnx_export import export_onnx

    associator = load_model(args.model, None, "cpu")
    make_folder(args.out.parent)
    export_onnx(associator, args.out)
    views = [asdict(view) for view in associator.views_]
    if args.json:
        print_json({"model": args.model, "out": str(args.out), "bytes": args.out.stat().st_size, "views": views})
    else:
        print("boxes (N, 4) float32 and view (N,) int64 -> embeddings (N, 768) float32")
        print("\n".join(f"view {number}: {v['name']} {v['width']} x {v['height']}" for number, v in enumerate(views)))
        print(f"saved to {args.out}")
    return 0
