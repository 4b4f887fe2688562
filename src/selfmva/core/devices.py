"""Which device a name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.errors import ConfigError

if TYPE_CHECKING:
    import torch

EXPECTED = "expected 'cpu', 'cuda', 'cuda:N' or 'auto'"


def check_device(name: str) -> None:
    """Raise what `find_device` raises; without torch for the processor, which is always there.

    Example:
        >>> check_device("cpu")
    """
    if not is_one_of(name, ("cpu",)):
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

    given: object = name
    if not isinstance(given, str):
        raise ConfigError(f"device: {EXPECTED}, got {shown(given)}")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"device: {EXPECTED}, got {shown(name)}") from error
    if device.type not in {"cpu", "cuda"}:
        raise ConfigError(f"device: {EXPECTED}, got {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} was asked for, but torch finds no GPU here; use 'cpu' or 'auto'")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device {name!r} was asked for, but the last GPU here is cuda:{torch.cuda.device_count() - 1}"
        )
    return device
