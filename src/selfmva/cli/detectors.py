"""`selfmva detectors`: which detectors of people there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.cli.common import Parser, add_plugin_list

if TYPE_CHECKING:
    import argparse

    from selfmva.core.plugins import PluginEntry

EPILOG = """\
examples:
  selfmva detectors
  selfmva detectors --json
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    add_plugin_list(
        subparsers,
        "detectors",
        list_all,
        help="list detectors of people",
        description="List the detectors of people that are installed, built in or from plug-ins; none is loaded for "
        "that. `selfmva fit --detector` takes their names, by themselves or as NAME:WHAT.",
        epilog=EPILOG,
    )


def list_all() -> list[PluginEntry]:
    """Which detectors there are."""
    from selfmva.detectors.registry import list_detectors

    return list_detectors()
