"""`selfmva encoders`: which encoders of appearance there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.cli.common import Parser, add_plugin_list

if TYPE_CHECKING:
    import argparse

    from selfmva.core.plugins import PluginEntry

EPILOG = """\
examples:
  selfmva encoders
  selfmva encoders --json
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    add_plugin_list(
        subparsers,
        "encoders",
        list_all,
        help="list encoders of appearance",
        description="List the encoders of what people look like that are installed, built in or from plug-ins; none is "
        "loaded for that. `selfmva fit --appearance` takes their names, by themselves or as NAME:WHAT.",
        epilog=EPILOG,
    )


def list_all() -> list[PluginEntry]:
    """Which encoders there are."""
    from selfmva.encoders.appearance.registry import list_encoders

    return list_encoders()
