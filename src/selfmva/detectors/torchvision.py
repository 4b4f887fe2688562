"""People from the detection models of torchvision, which know COCO's classes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.devices import find_device
from selfmva.core.images import as_rgb
from selfmva.core.runtime.torchvision import build_model, content_hash
from selfmva.core.scalars import real
from selfmva.detectors.base import Detections, inside_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from selfmva.core.images import Image

TORCHVISION_PERSON = 1  # COCO in torchvision: 0 is the background
TORCHVISION_BATCH = 8  # images in memory at once
FLATTEST = 500  # long side over short one; the models cannot resize what is flatter, and nobody is in it


class TorchvisionDetector:
    """Finds people with a detection model of torchvision.

    Args:
        name: Of the model, such as `"fasterrcnn_mobilenet_v3_large_fpn"` (fast) or `"fasterrcnn_resnet50_fpn_v2"`
            (finds more).
        weights: Name of its weights in torchvision, which are downloaded once; None: random ones, for tests.
        least_score: Boxes with less are dropped; in [0, 1]. Lower finds more people, and more of what is none.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"` for the GPU where there is one.

    Attributes:
        identity: The model, hash of the weights, and the settings that change the boxes.

    Raises:
        InputError: No such model, weights or device, or a score out of range.
        DataError: The weights cannot be downloaded: which file to place where. Or their file is damaged.
    """

    def __init__(
        self,
        name: str = "fasterrcnn_mobilenet_v3_large_fpn",
        *,
        weights: str | None = "DEFAULT",
        least_score: float = 0.5,
        device: str = "cpu",
    ) -> None:
        self.least_score: float = real(least_score, "least_score", least=0, most=1)
        self._device = find_device(device)
        model = _build(name, weights)
        self.identity: str = f"torchvision {name} {content_hash(model)} least_score={self.least_score}"
        self._model = model.eval().to(self._device)

    def __call__(self, images: Sequence[Image]) -> list[Detections]:
        """Find the people.

        Args:
            images: `(H, W, 3)` uint8 RGB each, grey or RGBA (see `selfmva.io.as_rgb`), of any sizes; may be empty.

        Returns:
            One entry per image, the highest scores first. What else is in the batch changes nothing.

        Raises:
            InputError: An image of another type or shape.
        """
        found = [Detections(np.zeros((0, 4)), np.zeros(0))] * len(images)
        # The models fill smaller images of a batch up with zeros, which shows in their boxes: one size at a time.
        by_size: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for number, image in enumerate(images):
            by_size[as_rgb(image).shape].append(number)
        for (height, width, _), numbers in by_size.items():
            if max(height, width) > FLATTEST * min(height, width):
                continue
            for start in range(0, len(numbers), TORCHVISION_BATCH):
                batch = numbers[start : start + TORCHVISION_BATCH]
                for number, output in zip(batch, self._outputs([as_rgb(images[k]) for k in batch]), strict=True):
                    found[number] = self._people(output, width, height)
        return found

    def _outputs(self, images: list[Image]) -> list[dict[str, Any]]:
        import torch

        with torch.inference_mode():
            pixels = [torch.tensor(image, device=self._device).permute(2, 0, 1) / 255 for image in images]
            outputs: list[dict[str, Any]] = self._model(pixels)
        return outputs

    def _people(self, output: dict[str, Any], width: int, height: int) -> Detections:
        boxes, labels, scores = (output[key].cpu().numpy() for key in ("boxes", "labels", "scores"))
        people = (labels == TORCHVISION_PERSON) & (scores >= self.least_score)
        return inside_image(boxes[people], scores[people], width=width, height=height)


def _build(name: str, weights: str | None) -> nn.Module:
    from torchvision import models

    known = models.list_models(module=models.detection)
    return build_model(name, weights, known, "detection", weights_backbone=None)
