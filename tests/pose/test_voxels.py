"""Grids, heatmaps and peaks: what is drawn is found where it is, without a bias."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from rings import look_at, ring

from selfmva import View
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.pose.voxels.grid import VoxelGrid
from selfmva.pose.voxels.peaks import find_peaks
from selfmva.pose.voxels.projection import CameraBatch, fitting_affine
from selfmva.pose.voxels.rendering import render_keypoints
from selfmva.pose.voxels.unprojection import SamplingGrid, unproject_heatmaps, unproject_into_cubes


def test_a_grid_covers_what_two_cameras_see() -> None:
    cameras, views = ring()
    grid = VoxelGrid.covering(cameras, views, body_height=1.7)
    probes = np.random.default_rng(0).uniform([-4, -4, 0], [4, 4, 1.8], (4000, 3))
    seen = CameraBatch.of(cameras, views).project(torch.from_numpy(probes))[2].sum(0).numpy() >= 2
    inside = (np.abs(probes - grid.center) <= grid.size / 2).all(1)
    assert inside[seen].mean() > 0.97
    assert np.prod(grid.shape) <= 128_000
    assert grid.cell.max() < 0.25
    finer = VoxelGrid.covering(cameras, views, body_height=1.7, most_cells=10**6)
    assert finer.cell == pytest.approx([1.7 * 0.115] * 3, rel=0.1)


def test_a_unit_of_body_heights_gives_the_same_cells() -> None:
    cameras, views = ring()
    shrunk = [Camera(camera.K, camera.R, camera.t / 1.7) for camera in cameras]
    metres = VoxelGrid.covering(cameras, views, body_height=1.7)
    bodies = VoxelGrid.covering(shrunk, views)
    assert bodies.shape == metres.shape
    assert bodies.size * 1.7 == pytest.approx(metres.size)


def test_cameras_that_see_nothing_together() -> None:
    back = [look_at(np.array([x, 0, 1.5]), np.array([2 * x, 0, 1.0]), 1000, (640, 480)) for x in (-5.0, 5.0)]
    views = [View("a", 640, 480), View("b", 640, 480)]
    with pytest.raises(InputError, match="no place above the floor"):
        VoxelGrid.covering(back, views, body_height=1.7)
    with pytest.raises(InputError, match="two cameras"):
        VoxelGrid.covering([back[0], None], views)
    with pytest.raises(InputError, match="three numbers"):
        VoxelGrid((0, 0), (1, 1, 1), (2, 2, 2))


def test_rendering_has_no_rounding() -> None:
    """The middle of mass of a spot is the keypoint, wherever it is between the pixels."""
    pixels = torch.tensor([[20.3, 17.8]], dtype=torch.float64)
    spot = render_keypoints(pixels, torch.ones(1), (48, 40), sigma=2.0)
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(48.0), indexing="ij")
    found = torch.stack([(x * spot).sum(), (y * spot).sum()]) / spot.sum()
    assert torch.allclose(found, pixels[0], atol=1e-6)


@pytest.mark.parametrize("reduce", ["max", "sum"])
def test_rendering_gradient(reduce: str) -> None:
    pixels = torch.tensor([[[3.3, 4.1], [6.2, 2.9]]], dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([[1.0, 0.7]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda p, w: render_keypoints(p, w, (9, 8), 1.5, reduce=reduce).clamp(max=0.9), (pixels, weight)
    )


def test_nobody_is_drawn() -> None:
    assert render_keypoints(torch.zeros(2, 0, 2), torch.zeros(2, 0), (5, 4), 1.0).abs().max() == 0
    missing = torch.full((2, 1, 2), torch.nan)
    assert render_keypoints(missing, torch.zeros(2, 1), (5, 4), 1.0).abs().max() == 0


def scene(place: torch.Tensor, size=(96, 54)):
    """Cameras onto maps, and the heatmaps of one keypoint."""
    cameras, views = ring(lens=[-0.1, 0.02, 0.001, 0.0, 0.0])
    rig = CameraBatch.of(cameras, views)
    rig = rig.onto_maps(fitting_affine(rig.size, size), size)
    pixels, _, seen = rig.project(place[None])
    return rig, render_keypoints(pixels, seen.to(place.dtype), size, 1.5)[None, :, None]


def test_a_keypoint_comes_back_from_its_heatmaps() -> None:
    place = torch.tensor([0.31, -0.42, 0.97], dtype=torch.float64)
    rig, heatmaps = scene(place)
    grid = VoxelGrid((0, 0, 1), (4, 4, 2), (40, 40, 20))
    volume = unproject_heatmaps(heatmaps, SamplingGrid.of_grid(rig, grid))
    assert 0 <= volume.min() <= volume.max() <= 1
    places, heights = find_peaks(volume[:, 0], grid, 3, radius=0.3)
    assert (places[0, 0] - place).norm() < 0.02  # a fifth of a cell
    assert heights[0, 0] > 0.85


def test_cubes_are_filled_like_grids() -> None:
    place = torch.tensor([0.31, -0.42, 0.97], dtype=torch.float64)
    rig, heatmaps = scene(place)
    grid = VoxelGrid((0.2, -0.3, 1), (1, 1, 1), (6, 5, 4))
    expected = unproject_heatmaps(heatmaps, SamplingGrid.of_grid(rig, grid))
    centre = torch.tensor([[0.2, -0.3, 1]], dtype=torch.float64)
    offsets = (torch.from_numpy(grid.points()) - centre).reshape(6, 5, 4, 3)
    cubes, seen = unproject_into_cubes(heatmaps, rig, centre, torch.tensor([0]), offsets)
    assert torch.allclose(cubes, expected)
    assert seen.unique().tolist() == [1.0]


def test_cells_that_a_zoomed_map_does_not_show_have_no_vote() -> None:
    """Half of the views are zoomed away from the keypoint: the others alone decide."""
    place = torch.tensor([0.31, -0.42, 0.97], dtype=torch.float64)
    rig, heatmaps = scene(place)
    affine = rig.affine.clone()
    affine[:2, :, 2] += 1000
    heatmaps = heatmaps.clone()
    heatmaps[:, :2] = 0
    points = place[None]
    full = unproject_heatmaps(heatmaps, SamplingGrid.of(rig, points, (1, 1, 1)))
    masked = unproject_heatmaps(heatmaps, SamplingGrid.of(rig.onto_maps(affine, (96, 54)), points, (1, 1, 1)))
    assert full.item() < 0.65
    assert masked.item() > 0.9


def test_peaks_of_nothing() -> None:
    grid = VoxelGrid((0, 0, 0), (1, 1, 1), (2, 2, 2))
    places, heights = find_peaks(torch.zeros(2, 2, 2, 2), grid, 10, radius=0.1)
    assert places.shape == (2, 10, 3)
    assert heights.abs().max() == 0
    assert find_peaks(torch.zeros(0, 2, 2, 2), grid, 10, radius=0.1)[0].shape == (0, 10, 3)


def _body() -> np.ndarray:
    """15 joints of one pose, in metres."""
    return np.random.default_rng(3).uniform([-0.4, -0.4, 0.1], [0.4, 0.4, 1.7], (15, 3))


def _fit(targets: torch.Tensor, rig: CameraBatch, start: torch.Tensor, steps: int, sigma: float) -> torch.Tensor:
    joints = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([joints], lr=0.01)
    size = (targets.shape[-1], targets.shape[-2])
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.01 * min(1.0, 4 * (1 - step / steps)) ** 2
        optimizer.zero_grad()
        pixels, _, seen = rig.project(joints)
        drawn = render_keypoints(pixels[..., None, :], seen[..., None].float(), size, sigma)
        (drawn - targets).square().sum().backward()
        optimizer.step()
    return joints.detach()


def test_rendering_loss_is_unbiased() -> None:
    """Poses that explain heatmaps are where the joints are; with rounded targets they are not."""
    torch.set_num_threads(1)
    cameras, views = ring()
    size = (120, 68)
    rig = CameraBatch.of(cameras, views)
    rig = rig.onto_maps(fitting_affine(rig.size, size), size).to(dtype=torch.float32)
    truth = torch.from_numpy(_body()).float()
    start = truth + 0.06 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    pixels, _, seen = rig.project(truth)
    assert seen.all()
    exact = render_keypoints(pixels[..., None, :], seen[..., None].float(), size, 1.5)
    found = _fit(exact, rig, start, 250, 1.5) - truth
    assert found.norm(dim=1).mean() <= 0.0005
    assert found[:, 2].mean().abs() <= 0.0002
    rounded = render_keypoints(pixels[..., None, :].floor(), seen[..., None].float(), size, 1.5)
    assert (_fit(rounded, rig, start, 60, 1.5) - truth).norm(dim=1).mean() > 0.01  # the control


def test_opencv_draws_where_we_project() -> None:
    cameras, views = ring(1)
    place = np.array([[0.2, 0.3, 1.1]])
    lens = cv2.projectPoints(place, cv2.Rodrigues(cameras[0].R)[0], cameras[0].t, cameras[0].K, None)[0].ravel()
    found = CameraBatch.of(cameras, views).project(torch.from_numpy(place))[0].ravel()
    assert found.numpy() == pytest.approx(lens)
