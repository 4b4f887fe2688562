"""Projection of tensors is OpenCV's, and has the gradient that it should have."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from conftest import DATA_ROOT

from selfmva import View
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.pose.voxels.projection import CameraBatch, fitting_affine

LENSES = {
    "none": [],
    "five": [-0.3, 0.1, 0.001, -0.002, 0.01],
    "eight": [-0.3, 0.1, 0.001, -0.002, 0.01, 0.02, -0.01, 0.003],
    "twelve": [-0.3, 0.1, 0.001, -0.002, 0.01, 0.02, -0.01, 0.003, 0.001, -0.002, 0.003, 0.001],
    "fourteen": [-0.3, 0.1, 0.001, -0.002, 0.01, 0.02, -0.01, 0.003, 0.001, -0.002, 0.003, 0.001, 0.05, -0.08],
}
K = np.array([[1400.0, 0, 950], [0, 1380, 530], [0, 0, 1]])


def camera(lens: list[float], turn: float = 0.3) -> Camera:
    return Camera(K, cv2.Rodrigues(np.array([0.1, turn, -0.2]))[0], [0.2, -0.1, 5.0], lens)


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)
def test_equals_opencv(lens: list[float]) -> None:
    points = np.random.default_rng(0).uniform(-2, 2, (10_000, 3))
    own = camera(lens)
    expected = cv2.projectPoints(points, cv2.Rodrigues(own.R)[0], own.t, K, np.array(lens) if lens else None)[0][:, 0]
    pixels, depth, _ = CameraBatch.of([own], [View("a", 1920, 1080)]).project(torch.from_numpy(points))
    assert np.abs(pixels[0].numpy() - expected).max() < 1e-3
    assert np.allclose(depth[0], own.project(points)[1])


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)
def test_gradients(lens: list[float]) -> None:
    rig = CameraBatch.of([camera(lens), camera(lens, -0.4)], [View("a", 1920, 1080), View("b", 1920, 1080)])
    rig = rig.onto_maps(fitting_affine(rig.size, (96, 54)), (96, 54))
    points = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (4, 3))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rig.project(x)[0], (points,))


def test_points_behind_are_out_of_view_and_have_no_gradient() -> None:
    rig = CameraBatch.of([Camera(K, np.eye(3), [0, 0, 0])], [View("a", 1920, 1080)])
    points = torch.tensor([[0.0, 0, -2], [0, 0, 2], [0, 0, 0]], dtype=torch.float64, requires_grad=True)
    pixels, _, seen = rig.project(points)
    assert seen.tolist() == [[False, True, False]]
    pixels.sum().backward()
    assert points.grad is not None
    assert points.grad[[0, 2]].abs().max() == 0


def test_what_a_lens_folds_back_is_out_of_view() -> None:
    """k1 < 0: far to the side the polynomial comes back through the middle of the image."""
    rig = CameraBatch.of([Camera(K, np.eye(3), [0, 0, 0], [-0.2, 0, 0, 0])], [View("a", 1920, 1080)])
    points = torch.tensor([[2.2, 0, 1.0], [0.3, 0, 1]], dtype=torch.float64)
    pixels, _, seen = rig.project(points)
    assert 0 < pixels[0, 0, 0] < 1920
    assert seen.tolist() == [[False, True]]


def test_the_map_decides_what_is_in_view() -> None:
    rig = CameraBatch.of([Camera(K, np.eye(3), [0, 0, 4])], [View("a", 1920, 1080)])
    zoomed = torch.tensor([[[0.1, 0, -60], [0, 0.1, 0]]])
    points = torch.tensor([[-1.5, 0, 0], [1, 0, 0]], dtype=torch.float64)
    assert rig.project(points)[2].tolist() == [[True, True]]
    assert rig.onto_maps(zoomed, (96, 96)).project(points)[2].tolist() == [[False, True]]


def test_images_fit_into_maps() -> None:
    size = torch.tensor([[1920.0, 1080], [360, 288]])
    affine = fitting_affine(size, (96, 64))
    corners = torch.stack([torch.full_like(size, -0.5), size - 0.5], dim=1)
    mapped = (affine[:, None, :, :2] @ corners[..., None])[..., 0] + affine[:, None, :, 2]
    assert torch.allclose(mapped.mean(1), torch.tensor([47.5, 31.5]))
    assert torch.allclose((mapped[:, 1] - mapped[:, 0]).max(1).values, torch.tensor([96.0, 80.0]))


@pytest.mark.realdata
def test_equals_the_camera_on_shelf() -> None:
    told = json.loads((DATA_ROOT / "shelf" / "calibration.json").read_text()).values()
    cameras = [Camera(np.reshape(one["K"], (3, 3)), *_parts(one["RT"])) for one in told]
    points = np.random.default_rng(2).uniform([-1, -1, 0], [1, 1, 2], (1000, 3))
    pixels, depth, _ = CameraBatch.of(cameras, [View("a", 1032, 776)] * len(cameras)).project(torch.from_numpy(points))
    for own, found, far in zip(cameras, pixels.numpy(), depth.numpy(), strict=True):
        ahead = far > 0.01
        assert np.abs(found - own.project(points)[0])[ahead].max() < 1e-3


def _parts(matrix: list[float]) -> tuple[np.ndarray, np.ndarray]:
    both = np.reshape(matrix, (3, 4))
    left, _, right = np.linalg.svd(both[:, :3])
    return left @ right, both[:, 3]


def test_errors() -> None:
    with pytest.raises(InputError, match="one view per camera"):
        CameraBatch.of([camera([])], [])
    with pytest.raises(InputError, match="one view per camera"):
        CameraBatch.of([], [])
