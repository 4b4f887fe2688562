"""Appearance from networks of torch: the backbones of torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from selfmva.core.devices import find_device
from selfmva.core.runtime.torchvision import build_model, content_hash
from selfmva.encoders.appearance.base import IMAGENET_MEAN, IMAGENET_STD, encode
from selfmva.encoders.appearance.crops import FORM, SIZE, crop_size, cut_crops, cut_crops_on_device
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import ArrayLike
    from torch import nn

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray
    from selfmva.encoders.appearance.base import Features


class TorchNetwork:
    """A network of torch that takes crops, `(B, 3, H, W)` float32 normalized as for ImageNet.

    Args:
        model: Gives `(B, D)`.
        size: Height and width of a crop in pixels.
        device: See `selfmva.core.devices.find_device`.

    Attributes:
        width: D, the length of a vector.

    Raises:
        ConfigError: The device cannot be used.
        InputError: The model cannot take crops of that size.
    """

    def __init__(self, model: nn.Module, size: tuple[int, int], device: str) -> None:
        self.size: tuple[int, int] = size
        self._device = find_device(device)
        self._model = model.eval().to(self._device)
        self.width: int = self._look()

    def __call__(self, batch: list[tuple[Image, FloatArray]]) -> Features:
        """`(B, D)` float32 for the boxes of some images, B in all."""
        import torch

        crops = torch.cat([self._cut(image, boxes) for image, boxes in batch]).to(self._device)
        with torch.inference_mode():
            return cast("Features", self._model(_normalized(crops)).float().cpu().numpy())

    def _cut(self, image: Image, boxes: FloatArray) -> torch.Tensor:
        import torch

        if self._device.type == "cpu":
            return torch.from_numpy(cut_crops(image, boxes, self.size))
        return cut_crops_on_device(image, boxes, self.size, device=self._device)

    def _look(self) -> int:
        """The length of the vector of an empty crop."""
        import torch

        try:
            with torch.inference_mode():
                output = self._model(torch.zeros(1, 3, *self.size, device=self._device))
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:  # whatever the model says
            raise InputError(f"the network cannot take crops of {self.size} (height, width): {error}") from error
        if not isinstance(output, torch.Tensor) or output.ndim != 2:
            got = list(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
            raise InputError(f"the network must give a vector for each crop, [N, D], got {got}")
        return int(output.shape[1])


class TorchvisionAppearance:
    """Appearance from a classification model of torchvision without its last layer.

    It was not trained to tell people apart, so a re-ID network is better where there is one.

    Args:
        name: Of the model, such as `"resnet50"`.
        weights: Name of its weights in torchvision, which are downloaded once; None: random ones, for tests.
        size: Height and width of a crop in pixels. Some models, such as vision transformers, take only one size.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"` for the GPU where there is one.

    Attributes:
        identity: The model, hash of its weights, and how crops are cut.
        size: Height and width of a crop in pixels.
        width: D, the length of a vector.

    Raises:
        InputError: No such model or weights, or a size that it cannot take.
        ConfigError: The device cannot be used.
        DataError: The weights cannot be downloaded: which file to place where. Or their file is damaged.
    """

    def __init__(
        self,
        name: str = "resnet50",
        *,
        weights: str | None = "DEFAULT",
        size: tuple[int, int] = SIZE,
        device: str = "cpu",
    ) -> None:
        height, width = crop_size(size)
        model = _without_last_layer(name, weights)
        self.identity: str = f"torchvision {name} {content_hash(model)} size={height}x{width} crops={FORM}"
        self._network = TorchNetwork(model, (height, width), device)
        self.size: tuple[int, int] = self._network.size
        self.width: int = self._network.width

    def __call__(self, images: Sequence[Image], boxes: Sequence[ArrayLike]) -> list[Features]:
        """Encode the boxes of images; see `AppearanceEncoder`.

        Raises:
            InputError: An image or boxes of another type or shape, or not as many of one as of the other.
        """
        return encode(images, boxes, self._network, self.width)


def _without_last_layer(name: str, weights: str | None) -> nn.Module:
    from torch import nn
    from torchvision import models

    model = build_model(name, weights, models.list_models(module=models), "classification")
    layers = [path for path, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise InputError(f"{name} has no linear layer at its end to leave out; use another model, such as 'resnet50'")
    parent, _, last = layers[-1].rpartition(".")
    setattr(model.get_submodule(parent), last, nn.Identity())
    return model


def _normalized(crops: torch.Tensor) -> torch.Tensor:
    import torch

    mean, std = (
        crops.new_tensor([255 * value for value in of], dtype=torch.float32) for of in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return ((crops - mean) / std).permute(0, 3, 1, 2)
