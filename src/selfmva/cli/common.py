"""What all sub-commands share: the parser's manners, and how things are said on stdout and stderr."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from selfmva.core.paths import as_path
from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from selfmva.core.plugins import PluginEntry


class UsageError(Exception):
    """The arguments are right one by one but do not fit together; ends like any wrong usage."""


class Parser(argparse.ArgumentParser):
    """Help texts keep their lines, options are written out, and an error is one line."""

    def __init__(self, *, description: str, **options: Any) -> None:
        super().__init__(
            description=textwrap.fill(description, 79),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,
        )

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong and end with exit code 2."""
        self.exit(2, f"{self.prog}: error: {_in_one_line(message)}; see `{self.prog} --help`\n")


def add_output_options(parser: Parser, *, progress: bool = True, default: Any = False) -> None:
    """Add `--json` and, where there is progress to show, `--quiet`.

    Args:
        parser: Of a sub-command.
        progress: Whether it shows progress.
        default: `argparse.SUPPRESS` where a parser above has the same options, lest the default undo what it read.
    """
    what = "print one JSON document on stdout and nothing else"
    parser.add_argument("--json", action="store_true", default=default, help=what)
    if progress:
        parser.add_argument("--quiet", action="store_true", default=default, help="show no progress bar")


def say(kind: str, message: object) -> None:
    """Say something on stderr in one line: `selfmva: kind: message`."""
    text = _in_one_line(str(message))
    print(f"selfmva: {kind}: {text}" if text else f"selfmva: {kind}", file=sys.stderr)


@contextmanager
def said(name: str) -> Iterator[None]:
    """While it lasts, what is logged under a name is said like a warning."""
    handler, log = _Saying(logging.WARNING), logging.getLogger(name)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Saying(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say("warning", record.getMessage())


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON document; what is not a number becomes null."""
    print(json.dumps(_strict(content), indent=2, allow_nan=False))


def print_table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """Print a table for humans: three digits after the point, a dash where there is no number.

    Example:
        >>> print_table([["recall", 0.5, float("nan")]], ["", "a", "b"])
                a      b
        ------  -----  ---
        recall  0.500  -
    """
    from tabulate import tabulate

    cells = [[_cell(value) for value in row] for row in rows]
    print(tabulate(cells, headers=headers, disable_numparse=True))


def add_plugin_list(
    subparsers: argparse._SubParsersAction[Parser], kinds: str, entries: Callable[[], list[PluginEntry]], **texts: Any
) -> None:
    """Add a sub-command that lists plug-ins.

    Args:
        subparsers: Those of the program.
        kinds: Its name, and the key of the JSON document.
        entries: Finds the plug-ins.
        **texts: Its help, description and epilog.
    """

    def run(args: argparse.Namespace) -> int:
        print_plugins(kinds, entries(), as_json=args.json)
        return 0

    parser = subparsers.add_parser(kinds, **texts)
    add_output_options(parser, progress=False)
    parser.set_defaults(run=run, parser=parser)


def print_plugins(kinds: str, entries: Sequence[PluginEntry], *, as_json: bool) -> None:
    """Print which plug-ins there are.

    Args:
        kinds: What they are, the key of the JSON document.
        entries: The plug-ins.
        as_json: Whether to print JSON in the place of a table.
    """
    if as_json:
        print_json({kinds: [asdict(entry) for entry in entries]})
    else:
        rows = [(entry.name, entry.distribution, entry.error or "ok") for entry in entries]
        print_table(rows, ("name", "distribution", "state"))


def make_folder(path: str | Path) -> Path:
    """Make a folder to write to, or find out before the work that it cannot be one.

    Raises:
        DataError: It cannot be made, or not be written to.
    """
    folder = as_path(path, "the folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, UnicodeError) as error:
        raise DataError(f"cannot make the folder {folder}: {getattr(error, 'strerror', None) or error}") from error
    if not os.access(folder, os.W_OK):
        raise DataError(f"the folder {folder} does not let itself be written to; choose another or change its rights")
    return folder


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if math.isnan(value) else f"{value:.3f}"


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
