"""What may watch a training: a progress hook and callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.scalars import flag
from selfmva.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from torch.nn import Module


class ProgressHook(Protocol):
    """Called as work goes on; tqdm is one implementation (see `selfmva.cli`), silence is the library's."""

    def __call__(self, task: str, completed: int, total: int) -> None:
        """`completed` of `total` units of `task` are done."""


@dataclass(frozen=True)
class StepState:
    """What a callback sees after a step.

    Attributes:
        step: Number of steps that are done.
        steps: Number of steps of the whole training.
        loss: Loss of the step; None where it was skipped because an image was empty.
        learning_rate: Step size of the optimizer.
        encoder: The encoder that learns.
    """

    step: int
    steps: int
    loss: float | None
    learning_rate: float
    encoder: Module


class Callback(Protocol):
    """Called after every step of a training."""

    def __call__(self, state: StepState) -> None:
        """See `StepState`; an exception stops the training."""


def silent(task: str, completed: int, total: int) -> None:
    """A progress hook that says nothing."""


@dataclass(frozen=True)
class Watch:
    """Who watches a training, and where its state is kept.

    Attributes:
        progress: Called after every step.
        callbacks: Called after every step.
        checkpoint: File to keep the state in; None: nothing is kept.
        resume: Go on from `checkpoint` where it exists.
        checkpoint_seconds: Least time between two checkpoints; 0 saves after every step.
    """

    progress: ProgressHook = silent
    callbacks: Sequence[Callback] = ()
    checkpoint: Path | None = None
    resume: bool = False
    checkpoint_seconds: float = 30.0


def read_watch(
    progress: ProgressHook | None, callbacks: Iterable[Callback] | None, checkpoint: str | Path | None, resume: bool
) -> Watch:
    """Check who watches a training before it begins.

    Args:
        progress: None: nobody.
        callbacks: None: nobody.
        checkpoint: None: nothing is kept.
        resume: Whether to go on from the checkpoint.

    Raises:
        InputError: One cannot be called, or `checkpoint` or `resume` is none.
        DataError: The checkpoint is a folder, or there is no folder to put it into.

    Example:
        >>> read_watch(None, [print], None, resume=False).callbacks
        (<built-in function print>,)
        >>> read_watch(None, print, None, resume=False)
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: callbacks must be an iterable of functions, got <built-in function print>
    """
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of (task, completed, total), or None, got {shown(progress)}")
    called = () if callbacks is None else tuple(stream(callbacks, "callbacks", "functions"))
    for callback in called:
        if not callable(callback):
            raise InputError(f"callbacks must be functions of a StepState, got {shown(callback)}")
    kept = None if checkpoint is None else as_path(checkpoint, "checkpoint")
    if kept is not None and (kept.is_dir() or not kept.parent.is_dir()):
        why = "is a folder: name a file in it" if kept.is_dir() else f"cannot be written: make {kept.parent} first"
        raise DataError(f"checkpoint {kept} {why}")
    return Watch(silent if progress is None else progress, called, kept, flag(resume, "resume"))
