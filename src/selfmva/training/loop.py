"""The training loop: draw, compute, step, watch, save."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch
from torch.nn import Module
from torch.optim.swa_utils import AveragedModel

from selfmva.errors import ConfigError, InputError
from selfmva.training.callbacks import StepState, Watch
from selfmva.training.checkpoint import Fingerprint, load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Objective", "Watch", "train"]


ModuleT = TypeVar("ModuleT", bound=Module)
LearnsT_contra = TypeVar("LearnsT_contra", bound=Module, contravariant=True)


class Objective(Protocol[LearnsT_contra]):
    """What is minimized, as a function of the step alone: that is what makes a training resumable."""

    steps: int

    def learning_rate(self, step: int) -> float:
        """Step size of the optimizer at `step`."""

    def averages_after(self, step: int) -> bool:
        """True where the weights after `step` enter the mean that the training ends with."""

    def loss(self, encoder: LearnsT_contra, step: int) -> Tensor | None:
        """Loss of `step`; None where there is nothing to learn from."""


def train(
    encoder: ModuleT, objective: Objective[ModuleT], *, bfloat16: bool, belongs_to: Fingerprint, watch: Watch
) -> None:
    """Minimize an objective with Adam.

    Args:
        encoder: Learns in place, on the device it is on.
        objective: What to minimize.
        bfloat16: Run the encoder under automatic mixed precision.
        belongs_to: What a checkpoint is good for.
        watch: Progress, callbacks and checkpoint.

    Raises:
        CheckpointError: The checkpoint to resume from is damaged or of another training.
        DataError: The checkpoint cannot be written; the one before is whole.
        ConfigError: The weights are no numbers any more.
    """
    device = next(encoder.parameters()).device
    optimizer = torch.optim.Adam(encoder.parameters(), lr=objective.learning_rate(0), fused=True)
    average = AveragedModel(encoder)
    step = 0
    if watch.resume and watch.checkpoint is not None and watch.checkpoint.exists():
        step = load_checkpoint(watch.checkpoint, encoder, optimizer, belongs_to, average)
    saved = time.monotonic()
    while step < objective.steps:
        rate = objective.learning_rate(step)
        optimizer.param_groups[0]["lr"] = rate
        try:
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
                loss = objective.loss(encoder, step)
        except InputError:
            _check_weights(encoder)  # which is why, where they are no numbers
            raise
        if loss is not None:
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
        if objective.averages_after(step):
            average.update_parameters(encoder)
        step += 1
        due = time.monotonic() - saved >= watch.checkpoint_seconds or step == objective.steps
        if watch.checkpoint is not None and due:
            save_checkpoint(watch.checkpoint, encoder, optimizer, step, belongs_to, average)
            saved = time.monotonic()
        watch.progress("fit", step, objective.steps)
        if watch.callbacks:
            value = None if loss is None else float(loss.detach())
            state = StepState(step, objective.steps, value, rate, encoder)
            for callback in watch.callbacks:
                callback(state)
    if average.n_averaged > 0:
        encoder.load_state_dict(average.module.state_dict())
    _check_weights(encoder)


def _check_weights(encoder: Module) -> None:
    if not all(bool(weights.isfinite().all()) for weights in encoder.state_dict().values()):
        raise ConfigError("the training went astray, its weights are no numbers any more: lower recipe.learning_rate")
