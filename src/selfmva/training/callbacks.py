"""What may watch a training: a progress hook and callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from selfmva.encoders.box import BoxEncoder


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
    encoder: BoxEncoder


class Callback(Protocol):
    """Called after every step of a training."""

    def __call__(self, state: StepState) -> None:
        """See `StepState`; an exception stops the training."""


def silent(task: str, completed: int, total: int) -> None:
    """A progress hook that says nothing."""
