"""People from a YOLOX network in an ONNX file (Ge et al., 2021, arXiv:2107.08430)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.runtime.onnx import OnnxModel
from selfmva.core.scalars import real
from selfmva.detectors.base import Detections, inside_image
from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray

STRIDES = (8, 16, 32)  # pixels from one cell of a level to the next
PADDING_GREY = 114  # what fills the input beside the image, as in training
COCO_PERSON = 0  # the first class of COCO
YOLOX_BATCH = 16  # images in memory at once
FARTHEST = 20  # cells from its own to the centre of a box; further off, centres must be pixels


class Yolox:
    """Finds people with YOLOX.

    Args:
        path: An ONNX file as YOLOX's own `export_onnx.py` writes it: images `[B, 3, H, W]` in, sides multiples of 32;
            out, for each cell, a box that is not decoded, the objectness, and a score for each class, the first of
            which is the person.
        least_score: Boxes with less are dropped; in [0, 1]. Lower finds more people, and more of what is none.
        iou: Of two boxes that overlap more, the one with the lower score is dropped; in [0, 1]. Higher keeps more
            people who stand close, and more double boxes.
        sha256: What the file must hash to; None: any file will do.
        threads: CPU threads; at least 1.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where onnxruntime can use one.

    Attributes:
        identity: Hash of the weights, and the settings that change the boxes.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        CheckpointError: The file is missing, has another hash, is no ONNX model, or none of YOLOX.
        ConfigError: The device cannot be used.
        InputError: Another argument is out of its range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        least_score: float = 0.3,
        iou: float = 0.45,
        sha256: str | None = None,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self.least_score: float = real(least_score, "least_score", least=0, most=1)
        self.iou: float = real(iou, "iou", least=0, most=1)
        self._model = OnnxModel(path, sha256=sha256, threads=threads, device=device)
        self.size: tuple[int, int] = _input_size(self._model)
        _check_output(self._model, self.size)
        self.identity: str = f"yolox {self._model.sha256} least_score={self.least_score} iou={self.iou}"

    def __call__(self, images: Sequence[Image]) -> list[Detections]:
        """Find the people.

        Args:
            images: `(H, W, 3)` uint8 RGB each, grey or RGBA (see `selfmva.io.as_rgb`), of any sizes; may be empty.

        Returns:
            One entry per image, the highest scores first.

        Raises:
            InputError: An image of another type or shape.
        """
        found: list[Detections] = []
        for start in range(0, len(images), YOLOX_BATCH):
            found += self._detect([as_rgb(image) for image in images[start : start + YOLOX_BATCH]])
        return found

    def _detect(self, images: list[Image]) -> list[Detections]:
        fitted = [letterbox(image, self.size) for image in images]
        pixels = np.stack([canvas[:, :, ::-1].transpose(2, 0, 1) for canvas, _ in fitted]).astype(np.float32)
        decoded = decode(self._model.run(pixels), self.size)
        return [
            self._people(boxes / np.tile(factors, 2), scores, image)
            for image, (_, factors), boxes, scores in zip(images, fitted, *decoded, strict=True)
        ]

    def _people(self, boxes: FloatArray, scores: FloatArray, image: Image) -> Detections:
        import torch
        from torchvision.ops import nms

        likely = scores >= self.least_score
        boxes, scores = boxes[likely], scores[likely]
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), self.iou).numpy()
        return inside_image(boxes[kept], scores[kept], width=image.shape[1], height=image.shape[0])


def letterbox(image: Image, size: tuple[int, int]) -> tuple[Image, FloatArray]:
    """Fit an image into the upper left of an input, as large as goes; grey fills the rest.

    Args:
        image: `(H, W, 3)` uint8.
        size: Width and height of the input in pixels.

    Returns:
        The input, and the `(2,)` factors from pixels of the image to its pixels, for x and for y.

    Example:
        >>> canvas, factors = letterbox(np.zeros((50, 100, 3), np.uint8), (64, 64))
        >>> factors.tolist(), canvas[:, 0, 0].tolist().index(114)
        ([0.64, 0.64], 32)
    """
    import cv2

    sides = np.array(image.shape[1::-1])
    fitted = np.maximum(1, np.round(sides * min(np.array(size) / sides))).astype(int)
    canvas = np.full((size[1], size[0], 3), PADDING_GREY, np.uint8)
    canvas[: fitted[1], : fitted[0]] = cv2.resize(image, fitted.tolist(), interpolation=cv2.INTER_LINEAR)
    return canvas, fitted / sides


def decode(output: NDArray[np.float32], size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Boxes and scores of people from the output of the network.

    Each cell gives the centre of a box, in cells from its own corner, and the logarithm of its sides in cells.

    Args:
        output: `(B, cells, 5 + classes)`: x, y, width, height, objectness, a score for each class.
        size: Width and height of the input in pixels.

    Returns:
        `(B, cells, 4)` xyxy in pixels of the input, and `(B, cells)`: objectness times the score of a person. Both
        float64.
    """
    corners, strides = cells(size)
    centre = (output[..., :2] + corners) * strides
    half = np.exp(output[..., 2:4].astype(np.float64)) * strides / 2
    scores = output[..., 4].astype(np.float64) * output[..., 5 + COCO_PERSON]
    return np.concatenate([centre - half, centre + half], axis=-1), scores


def cells(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """The cells of all levels, row by row: their `(cells, 2)` x and y on their level, and `(cells, 1)` strides.

    Example:
        >>> corners, strides = cells((64, 32))
        >>> len(corners), corners[-1].tolist(), strides[-1].tolist()
        (42, [1.0, 0.0], [32.0])
    """
    levels = [
        np.stack(np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride)), axis=-1).reshape(-1, 2)
        for stride in STRIDES
    ]
    strides = np.repeat(STRIDES, [len(level) for level in levels])
    return np.concatenate(levels).astype(np.float64), strides[:, None].astype(np.float64)


def _input_size(model: OnnxModel) -> tuple[int, int]:
    shape = model.shape
    if len(shape) != 4 or shape[1] != 3 or any(side is None or side % STRIDES[-1] for side in shape[2:]):
        raise CheckpointError(
            f"{model.path} is not YOLOX: expected an input [B, 3, H, W] with H and W fixed multiples of 32, "
            f"got {[side or 'any' for side in shape]}"
        )
    return shape[3] or 0, shape[2] or 0


def _check_output(model: OnnxModel, size: tuple[int, int]) -> None:
    """Look at what the network makes of an empty image."""
    output = model.run(np.full((1, 3, size[1], size[0]), PADDING_GREY, np.float32))
    count = len(cells(size)[0])
    if output.ndim != 3 or output.shape[1] != count or output.shape[2] < 6:
        raise CheckpointError(
            f"{model.path} is not YOLOX: for an input of {size[0]} x {size[1]} pixels expected an output "
            f"[1, {count}, 5 + classes], got {list(output.shape)}"
        )
    if not (output[..., 4:].min() >= 0 and output[..., 4:].max() <= 1) or np.abs(output[..., :2]).mean() > FARTHEST:
        raise CheckpointError(
            f"{model.path} has the shape of YOLOX, but not its values: expected boxes that are not decoded, and "
            "scores in [0, 1]; export it without --decode_in_inference"
        )
