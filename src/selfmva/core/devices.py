"""Which device a name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.errors import ConfigError

if TYPE_CHECKING:
    import torch


def check_device(name: str) -> None:
    """Raise what `find_device` raises; without torch for the processor, which is always there.

    Example:
        >>> check_device("cpu")
    """
    if name != "cpu":
        find_device(name)


def find_device(name: str) -> torch.device:
    """The device of that name; `"auto"` is the GPU where there is one.

    Raises:
        ConfigError: No such device, or no GPU here.

    Example:
        >>> find_device("cpu")
        device(type='cpu')
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device: expected 'cpu', 'cuda', 'cuda:N' or 'auto', got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} was asked for, but torch finds no GPU here; use 'cpu' or 'auto'")
    return device
