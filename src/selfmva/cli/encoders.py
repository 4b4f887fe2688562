"""`selfmva encoders`: which encoders of appearance there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.cli.common import Parser, add_output_options, print_plugins

if TYPE_CHECKING:
    import argparse

EPILOG = """\
examples:
  selfmva encoders
  selfmva encoders --json
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "encoders",
        help="list encoders of appearance",
        description="List the encoders of what people look like that are installed, built in or from plug-ins; none is "
        "loaded for that. `selfmva fit --appearance` takes their names, by themselves or as NAME:WHAT.",
        epilog=EPILOG,
    )
    add_output_options(parser, progress=False)
    parser.set_defaults(run=list_all, parser=parser)


def list_all(args: argparse.Namespace) -> int:
    """Print which encoders there are."""
    from selfmva.encoders.appearance.registry import list_encoders

    print_plugins("encoders", list_encoders(), as_json=args.json)
    return 0
