"""Crops are those of roi_align, and of a plain resize where the box is whole pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import roi_align

from selfmva.encoders import cut_crops, cut_crops_on_device
from selfmva.errors import InputError

RNG = np.random.default_rng(0)


def smooth_image(height: int, width: int) -> np.ndarray:
    """Soft shapes: 1/64 of a pixel changes at most a grey level or two."""
    noise = RNG.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


IMAGE = smooth_image(300, 400)


def aligned(image: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    return roi_align(planes, [torch.from_numpy(boxes)], size, 1.0, 1, True).permute(0, 2, 3, 1).numpy()


def random_boxes(count: int, smallest: float, largest: float) -> np.ndarray:
    """Inside `IMAGE`, sides up to `largest`, on no pixel in particular."""
    sides = RNG.uniform(smallest, largest, (count, 2))
    corners = RNG.uniform(0, np.array(IMAGE.shape[1::-1]) - sides)
    return np.concatenate([corners, corners + sides], axis=1)


@pytest.mark.parametrize(("size", "largest"), [((256, 128), 250), ((64, 32), 63), ((7, 13), 13)])
def test_crops_are_those_of_roi_align(size: tuple[int, int], largest: float) -> None:
    boxes = random_boxes(50, 2, largest)  # less than twice as large as a crop
    expected = aligned(IMAGE, boxes, size)
    crops = cut_crops(IMAGE, boxes, size)
    assert (crops.shape, crops.dtype) == ((50, *size, 3), np.uint8)
    assert np.abs(crops - expected).max() < 2
    assert np.abs(crops - expected).mean() < 0.4
    on_device = cut_crops_on_device(IMAGE, boxes, size, device="cpu")
    assert np.abs(on_device.numpy() - expected).max() < 0.51  # rounding alone


def test_whole_pixels_are_themselves() -> None:
    noise = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    (crop,) = cut_crops(noise, [[3, 5, 23, 35]], size=(30, 20))
    np.testing.assert_array_equal(crop, noise[5:35, 3:23])
    mirrored = cut_crops(noise[:, ::-1], [[7, 5, 27, 35]], size=(30, 20))[0]
    np.testing.assert_array_equal(mirrored[:, ::-1], crop)


@settings(max_examples=40)
@given(
    corner=st.tuples(st.floats(-200, 500), st.floats(-200, 500)),
    sides=st.tuples(st.floats(1, 390), st.floats(1, 390)),
)
def test_the_border_repeats_outside(corner: tuple[float, float], sides: tuple[float, float]) -> None:
    """As if the image had been larger from the start; and both ways of computing agree."""
    boxes = np.array([[*corner, corner[0] + sides[0], corner[1] + sides[1]]])
    size = (200, 200)  # no box is twice as large
    padded = np.pad(IMAGE, ((200, 700), (200, 700), (0, 0)), mode="edge")
    crops = cut_crops(IMAGE, boxes, size)
    # Equal but for the rounding of corners that lie elsewhere.
    assert np.abs(crops.astype(int) - cut_crops(padded, boxes + 200, size)).max() <= 1
    on_device = cut_crops_on_device(IMAGE, boxes, size, device="cpu").numpy()
    assert np.abs(on_device.astype(int) - crops).max() <= 2


def test_large_boxes_are_averaged() -> None:
    """Stripes finer than the crop become grey instead of stripes that are not there."""
    stripes = np.zeros((1024, 512, 3), np.uint8)
    stripes[::2] = 255
    box = [[0, 0, 512, 1024]]
    for crops in (cut_crops(stripes, box), cut_crops_on_device(stripes, box, device="cpu").numpy()):
        assert np.abs(crops - 127.5).max() < 2
    large = random_boxes(20, 150, 290)
    exact = [
        cv2.resize(IMAGE[y1:y2, x1:x2], (16, 32), interpolation=cv2.INTER_AREA) for x1, y1, x2, y2 in large.astype(int)
    ]
    error = np.abs(cut_crops(IMAGE, large.astype(int), (32, 16)).astype(int) - exact).mean()
    naive = np.abs(aligned(IMAGE, large.astype(int).astype(float), (32, 16)) - exact).mean()
    assert error < 0.6 * naive
    both = cut_crops(IMAGE, large, (32, 16)) - cut_crops_on_device(IMAGE, large, (32, 16), device="cpu").numpy()
    assert np.abs(both.astype(np.int8)).mean() < 1


def test_a_crop_depends_on_its_box_alone() -> None:
    boxes = np.concatenate([random_boxes(40, 3, 40), random_boxes(40, 150, 290)])[RNG.permutation(80)]
    together = cut_crops(IMAGE, boxes, (32, 16))
    alone = [cut_crops(IMAGE, box[None], (32, 16))[0] for box in boxes]
    np.testing.assert_array_equal(together, alone)


def test_nothing_to_cut() -> None:
    assert cut_crops(IMAGE, []).shape == (0, 256, 128, 3)
    assert tuple(cut_crops_on_device(IMAGE, [], (9, 5), device="cpu").shape) == (0, 9, 5, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_the_smallest_images(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 9, np.uint8)
    boxes = [[0, 0, shape[1], shape[0]], [-900, -900, 900, 900], [0.2, 0.2, 0.3, 0.3]]
    assert (cut_crops(image, boxes) == 9).all()
    assert (cut_crops_on_device(image, boxes, device="cpu") == 9).all()


def test_grey_alpha_and_views_of_memory() -> None:
    box = [[10.3, 20.6, 90.1, 200.2]]
    grey = cut_crops(IMAGE[:, :, 0], box)
    np.testing.assert_array_equal(grey, np.repeat(cut_crops(IMAGE, box)[..., :1], 3, axis=-1))
    np.testing.assert_array_equal(cut_crops(np.dstack([IMAGE, IMAGE[:, :, :1]]), box), cut_crops(IMAGE, box))
    frozen = IMAGE.copy()
    frozen.flags.writeable = False
    cut_crops(frozen, [[0, 0, 400, 300]], (8, 8))
    np.testing.assert_array_equal(frozen, IMAGE)


@pytest.mark.parametrize(
    ("image", "boxes", "size", "message"),
    [
        (IMAGE / 255, [[0, 0, 1, 1]], (4, 4), "must be uint8"),
        (IMAGE, [[0, 0, np.nan, 1]], (4, 4), "not finite"),
        (IMAGE, [[5, 0, 1, 1]], (4, 4), "needs x2 > x1"),
        (IMAGE, [[0, 0, 1, 1]], (0, 4), "must be 1 to 32767 pixels, got an image of"),
        (np.zeros((1, 40000), np.uint8), [[0, 0, 1, 1]], (4, 4), r"an image of \(1, 40000\)"),
    ],
)
def test_wrong_input(image: Any, boxes: Any, size: tuple[int, int], message: str) -> None:
    for cut in (cut_crops, cut_crops_on_device):
        with pytest.raises(InputError, match=message):
            cut(image, boxes, size)
