"""Models of torchvision with their weights, or a clear word on why there are none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.runtime.torch_archive import what_is_wrong
from selfmva.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


def build_model(name: str, weights: str | None, known: Sequence[str], kind: str, **untrained: Any) -> nn.Module:
    """A model of torchvision; a file of weights that holds anything else is refused before it is opened.

    Args:
        name: Of the model.
        weights: Name of its weights, `"DEFAULT"` for the best; downloaded once. None: random ones.
        known: Names to choose from.
        kind: What they are, for the message.
        untrained: More arguments of a model without weights.

    Raises:
        InputError: No such model or weights.
        DataError: The weights cannot be downloaded: which file to place where. Or their file is damaged.

    Example:
        >>> build_model("resnet", None, ["resnet18", "resnet50"], "classification")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: torchvision has no classification model 'resnet'; it has resnet18, resnet50
    """
    from torchvision import models

    if not is_one_of(name, known):
        raise InputError(f"torchvision has no {kind} model {shown(name)}; it has {', '.join(known)}")
    if weights is None:
        return cast("nn.Module", models.get_model(name, weights=None, **untrained))
    choices = models.get_model_weights(name)
    if not is_one_of(weights, {"DEFAULT", *choices.__members__}):
        raise InputError(f"{name} has no weights {shown(weights)}; it has DEFAULT, {', '.join(choices.__members__)}")
    chosen = choices[weights]
    try:
        # torchvision opens the file in its cache as a pickle of anything. Read it by the restricted loader before:
        # what holds more than weights fails here.
        chosen.get_state_dict(map_location="cpu", check_hash=True, weights_only=True)
        return cast("nn.Module", models.get_model(name, weights=chosen))
    except Exception as error:  # whatever urllib or the unpickler raises
        raise _unreadable(name, chosen.url, error) from error


def content_hash(model: nn.Module) -> str:
    """SHA-256 of all weights and their names, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for key, value in model.state_dict().items():
        digest.update(key.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


def _unreadable(name: str, url: str, error: Exception) -> DataError:
    import torch

    place = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if place.exists():
        return DataError(f"{place}, the weights of {name}, {what_is_wrong(error)}; delete it and try again")
    return DataError(
        f"the weights of {name} cannot be downloaded ({error}): fetch {url} where there is a network, and place it "
        f"as {place}"
    )
