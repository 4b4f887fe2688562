"""A progress bar on stderr: rate and time left."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tqdm import tqdm

    from selfmva.training.callbacks import ProgressHook


class ProgressBar:
    """A progress hook (see `selfmva.training.callbacks`) that draws one bar per task."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._task = ""

    def __call__(self, task: str, completed: int, total: int) -> None:
        """Draw that `completed` of `total` units of `task` are done."""
        if self._bar is None or task != self._task:
            self.close()
            self._task = task
            self._bar = _draw_bar(task, completed - 1, total)
        self._bar.update(completed - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _draw_bar(task: str, initial: int, total: int) -> tqdm[NoReturn]:
    from tqdm import tqdm

    # What a resumed training did before is no part of the rate.
    return tqdm(total=total, initial=initial, desc=task, file=sys.stderr)


@contextmanager
def progress_of(args: argparse.Namespace) -> Iterator[ProgressHook]:
    """The progress hook that the arguments ask for: silent with --quiet, --json, or where nobody watches."""
    from selfmva.training.callbacks import silent

    if args.quiet or args.json or not sys.stderr.isatty():
        yield silent
        return
    bar = ProgressBar()
    try:
        yield bar
    finally:
        bar.close()
