"""The program: its parser, its exit codes, and what becomes of errors, warnings and interruptions."""

from __future__ import annotations

import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from selfmva._version import __version__
from selfmva.cli import (
    associate,
    check,
    convert,
    datasets,
    demo,
    detectors,
    encoders,
    evaluate,
    export,
    fit,
    pose,
    report,
    show,
    track,
)
from selfmva.cli.common import Parser, UsageError, say
from selfmva.errors import SelfMVAError, SelfMVAWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

OUR_ERROR, WRONG_USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141  # the last two as a shell reports their signals

_EMPTY_OPTION = re.compile(r"--[\w-]+=")

EPILOG = """\
examples:
  selfmva demo
  selfmva fit --views door:1920x1080 hall:1280x720 --boxes boxes.csv --out my-rig
  selfmva associate my-rig --boxes today.csv --out people.csv
  selfmva evaluate my-rig --dataset wildtrack --root data/wildtrack

exit codes: 0 fine, 1 an error that is explained, 2 wrong usage, 3 `check` found something, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: Arguments; those of the process where None.

    Returns:
        The exit code.

    Example:
        >>> main(["--version"]) == 0
        selfmva ...
        True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", SelfMVAWarning)
        warnings.showwarning = _warning_shown_by(warnings.showwarning)
        try:
            code = _run(argv)
            sys.stdout.flush()  # a broken pipe is noticed here, not while the interpreter shuts down
        except SelfMVAError as error:
            say("error", error)
            return OUR_ERROR
        except KeyboardInterrupt as interruption:
            say("interrupted", interruption)
            return INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        return code


def build_parser() -> Parser:
    """The parser of the whole program; building it loads nothing heavy."""
    parser = Parser(
        prog="selfmva",
        description="Learn which boxes of several fixed, synchronized cameras are the same person: without labels, "
        "without calibration.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"selfmva {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in (
        demo,
        fit,
        associate,
        track,
        pose,
        check,
        show,
        evaluate,
        report,
        convert,
        export,
        datasets,
        detectors,
        encoders,
    ):
        command.add_parser(subparsers)
    return parser


def _run(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    try:
        _refuse_empty(parser, sys.argv[1:] if argv is None else argv)
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help(sys.stderr)
            return WRONG_USAGE
        try:
            code: int = args.run(args)
        except UsageError as error:
            args.parser.error(str(error))
    except SystemExit as stop:  # how argparse ends --help, --version and wrong usage
        code = int(stop.code or 0)
    return code


def _refuse_empty(parser: Parser, argv: Sequence[str]) -> None:
    """No argument of any command may be empty: as a path, it would be the folder where the program runs."""
    for number, argument in enumerate(argv):
        if argument == "" or _EMPTY_OPTION.fullmatch(argument):
            place = f"option {argument[:-1]}" if argument else f"argument {number + 1}"
            parser.error(f"{place} is empty; is a variable of the shell not set?")
        if "\0" in argument:
            parser.error(f"argument {number + 1} has a NUL in it: {argument!r}")


def _warning_shown_by(show_others: Any) -> Any:
    """Show our own warnings in a line, and all others as before."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, SelfMVAWarning):
            say("warning", message)
        else:
            show_others(message, category, *where, **more)

    return show
