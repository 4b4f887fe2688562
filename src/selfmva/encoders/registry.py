"""Encoders of appearance by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.encoders.appearance import AppearanceEncoder
from selfmva.encoders.onnx_appearance import OnnxAppearance
from selfmva.encoders.osnet import OsnetAin
from selfmva.encoders.torch_appearance import TorchvisionAppearance
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: dict[str, Callable[..., AppearanceEncoder]] = {
    "osnet-ain": OsnetAin,
    "onnx": OnnxAppearance,
    "torchvision": TorchvisionAppearance,
}
FORMS = "'osnet-ain', 'osnet-ain:path/to/weights.pt', 'onnx:path/to/re-id.onnx', 'torchvision:name of a model', or an \
AppearanceEncoder: an object with an identity (str) that is called with images and boxes"


def open_appearance(appearance: str | AppearanceEncoder, *, device: str = "cpu") -> AppearanceEncoder:
    """Turn what a user gives for an encoder of appearance into one.

    Args:
        appearance: `"osnet-ain"` with the weights of the model hub or `"osnet-ain:path"` with the same in a local file
            (see `OsnetAin`), `"onnx:path/to/re-id.onnx"` (see `OnnxAppearance`), `"torchvision:resnet50"` (see
            `TorchvisionAppearance`), or an AppearanceEncoder, which is given back as it is.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where there is one. Nothing to an AppearanceEncoder.

    Raises:
        InputError: None of these.
        MissingDependencyError: The kind needs a package that is not installed.
        CheckpointError: The weights are no such model.
        ConfigError: The device cannot be used.
        DataError: The weights cannot be downloaded.

    Example:
        >>> open_appearance("resnet50")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: expected an encoder of appearance, 'osnet-ain', ..., got 'resnet50'
    """
    if not isinstance(appearance, str):
        if isinstance(appearance, AppearanceEncoder):
            return appearance
        raise InputError(f"expected an encoder of appearance, {FORMS}, got {type(appearance).__name__}")
    kind, separator, what = appearance.partition(":")
    if kind == "osnet-ain" and not separator:
        return OsnetAin(device=device)
    if kind not in KINDS or not what:
        raise InputError(f"expected an encoder of appearance, {FORMS}, got {appearance!r}")
    return KINDS[kind](what, device=device)
