"""Encoders of appearance, built in or from plug-ins, by name; listing imports none of them."""

from __future__ import annotations

from typing import cast

from selfmva.core.plugin_argument import PluginArgument
from selfmva.core.plugins import PluginEntry, PluginGroup
from selfmva.encoders.appearance.base import AppearanceEncoder

ENCODERS = PluginGroup("selfmva.encoders", "encoder")
APPEARANCE_ARGUMENT = PluginArgument(
    ENCODERS,
    AppearanceEncoder,
    what="an encoder of appearance",
    contract="an AppearanceEncoder: an object with an identity (str) that is called with images and boxes",
    names="'osnet-ain', 'onnx:path/to/re-id.onnx', 'torchvision:name of a model', another name that `selfmva encoders` "
    "lists",
    example="onnx:path/to/re-id.onnx",
)


def list_encoders() -> list[PluginEntry]:
    """All registered encoders of appearance, by name; none is imported.

    Returns:
        One entry per name and distribution.

    Example:
        >>> [entry.target for entry in list_encoders() if entry.name == "osnet-ain"]
        ['selfmva.encoders.appearance.osnet:OsnetAin']
    """
    return ENCODERS.entries()


def open_appearance(appearance: str | AppearanceEncoder, *, device: str = "cpu") -> AppearanceEncoder:
    """Turn what a user gives for an encoder of appearance into one.

    Args:
        appearance: The name of a registered encoder (see `list_encoders`), by itself or with a colon and what it is
            made of: `"osnet-ain"` with the weights of the model hub or `"osnet-ain:path"` with the same in a local
            file (see `OsnetAin`), `"onnx:path/to/re-id.onnx"` (see `OnnxAppearance`), `"torchvision:resnet50"` (see
            `TorchvisionAppearance`), `"name"` or `"name:what"` of a plug-in; or an AppearanceEncoder, which is given
            back as it is.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where there is one. Nothing to an AppearanceEncoder.

    Raises:
        InputError: None of these, or an encoder that is made of something else.
        PluginError: No or more than one encoder has this name, or its plug-in fails or gives something else.
        MissingDependencyError: The kind needs a package that is not installed.
        CheckpointError: The weights are no such model.
        ConfigError: The device cannot be used.
        DataError: The weights cannot be downloaded.

    Example:
        >>> open_appearance("resnet50")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: no encoder is called 'resnet50'; Known: ...
    """
    return cast("AppearanceEncoder", APPEARANCE_ARGUMENT.resolve(appearance, device=device))
