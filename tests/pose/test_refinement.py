"""Evidence of keypoints, the prior that meets it, and the bodies that it learns from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rings import ring
from walkers import SKELETON, crowd

from selfmva.core.skeletons import SKELETONS
from selfmva.geometry.cameras import Camera
from selfmva.pose.invented.bodies import invent_bodies
from selfmva.pose.learned.model import body_template, facing, steadiness
from selfmva.pose.networks.evidence import Observations, noise_of, place_joints
from selfmva.pose.networks.matching import match_bodies
from selfmva.pose.networks.pose import AttentionNetwork, PoseNetwork, cross_view_render_loss
from selfmva.pose.networks.refiner import BodyRefiner
from selfmva.pose.triangulation import triangulate

STATURE = 1.75


def observe(joints: np.ndarray, cameras: list[Camera], noise: float = 0.0, missing: float = 0.0) -> Observations:
    random = np.random.default_rng(0)
    pixels = np.stack([camera.project(joints)[0] for camera in cameras], axis=1)
    weight = random.random(pixels.shape[:3]) >= missing
    pixels = pixels + random.normal(0, 1, pixels.shape) * noise
    matrices = torch.from_numpy(np.array([camera.matrix for camera in cameras]))
    return Observations(matrices, torch.from_numpy(pixels), torch.from_numpy(weight).double(), max(noise, 0.5))


def bodies(count: int = 40) -> np.ndarray:
    return crowd(np.random.default_rng(4), count, 1)[:, 0]


def test_joints_are_placed_where_they_are() -> None:
    cameras, _ = ring()
    truth = bodies()
    assert np.abs(place_joints(observe(truth, cameras)).numpy() - truth).max() < 1e-5


def test_joints_are_placed_where_triangulation_places_them() -> None:
    """Without outliers both are the least squares of the pixels."""
    cameras, _ = ring()
    observed = observe(bodies(), cameras, noise=0.2)
    given = torch.cat([observed.pixels, observed.weight[..., None]], dim=-1).transpose(1, 2).numpy()
    placed = place_joints(observed).numpy()
    assert np.abs(placed - triangulate(cameras, given, 5.0).joints).max() < 3e-4


def test_one_view_tells_no_place() -> None:
    cameras, _ = ring()
    observed = observe(bodies(2), cameras)
    observed.weight[0, 1:, 3] = 0
    placed = place_joints(observed)
    assert torch.isnan(placed[0, 3]).all()
    assert torch.isnan(placed).sum() == 3


def test_a_wrong_view_is_left_out() -> None:
    cameras, _ = ring()
    truth = bodies(3)
    observed = observe(truth, cameras)
    observed.pixels[:, 2] += 150.0
    assert np.abs(place_joints(observed).numpy() - truth).max() < 0.005


@pytest.mark.parametrize("noise", [1.0, 4.0])
def test_noise_is_measured(noise: float) -> None:
    cameras, _ = ring()
    observed = observe(bodies(), cameras, noise, missing=0.2)
    assert noise_of(observed, place_joints(observed)) == pytest.approx(noise, rel=0.15)


def test_information_is_the_gradient_of_the_squares() -> None:
    cameras, _ = ring(3)
    observed = observe(bodies(2), cameras, noise=2.0, missing=0.3)
    place = torch.from_numpy(bodies(2) + 0.02).requires_grad_()
    square = (observed.residuals(place).square() * observed.weight).sum() / (2 * observed.noise**2)
    (gradient,) = torch.autograd.grad(square, place)
    precision, pull = observed.information(place.detach(), observed.weight)
    assert torch.allclose(pull, -gradient, rtol=1e-6, atol=1e-6)
    assert (torch.linalg.eigvalsh(precision) >= -1e-6).all()


def untrained() -> BodyRefiner:
    return BodyRefiner(SKELETON.mirrored, body_template(SKELETON), torch.from_numpy(steadiness(SKELETON))).double()


def refiner() -> BodyRefiner:
    torch.manual_seed(0)
    network = untrained()
    torch.nn.init.normal_(network.last.weight, std=0.02)  # not the one that says nothing
    return network


def moved(cameras: list[Camera], turn: float, shift: np.ndarray, scale: float) -> tuple[list[Camera], np.ndarray]:
    """The same cameras in a world that is turned about z, shifted and scaled."""
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    result = []
    for camera in cameras:
        own = camera.R @ rotation.T
        result.append(Camera(camera.K, own, scale * (-own @ (rotation @ camera.centre + shift))))
    return result, rotation


def test_refinement_does_not_depend_on_the_world() -> None:
    """Another origin, direction and unit of the world give the same people."""
    cameras, _ = ring()
    truth, network, shift = bodies(6), refiner(), np.array([0.7, -2.0, 0.0])
    there, rotation = moved(cameras, 1.1, shift, 100.0)
    found = []
    for rig, joints, unit in ((cameras, truth, 1.0), (there, 100 * (truth @ rotation.T + shift), 100.0)):
        observed = observe(joints, rig, noise=2.0, missing=0.5)
        found.append(network(observed, place_joints(observed), STATURE * unit))
    expected = 100 * (found[0].joints.detach().numpy() @ rotation.T + shift)
    assert np.abs(found[1].joints.detach().numpy() - expected).max() < 0.1  # of 100, a millimetre
    trace = [one.covariance.diagonal(dim1=-2, dim2=-1).sum(-1) for one in found]
    assert torch.allclose(trace[1], trace[0] * 1e4, rtol=1e-2)


def test_before_training_what_is_seen_stays() -> None:
    cameras, _ = ring()
    observed = observe(bodies(), cameras, noise=1.0)
    network = untrained()
    start = place_joints(observed)
    refined = network(observed, start, STATURE)
    assert (refined.joints - start).norm(dim=-1).max() < 0.002
    assert (torch.linalg.eigvalsh(refined.covariance) > 0).all()


def test_what_is_not_seen_has_a_place_and_says_that_it_is_not_sure() -> None:
    cameras, _ = ring()
    observed = observe(bodies(), cameras, noise=1.0)
    wrist = SKELETON.index("left_wrist")
    observed.weight[:, :, wrist] = 0
    network = untrained()
    refined = network(observed, place_joints(observed), STATURE)
    deviation = refined.covariance.diagonal(dim1=-2, dim2=-1).sum(-1).sqrt()
    assert torch.isfinite(refined.joints).all()
    assert (refined.joints[:, wrist] - torch.from_numpy(bodies()[:, wrist])).norm(dim=-1).max() < 1.0
    assert deviation[:, wrist].min() > 20 * deviation[:, : SKELETON.index("nose")].max()


@pytest.mark.parametrize("name", SKELETONS)
def test_invented_bodies_are_bodies(name: str) -> None:
    skeleton = SKELETONS[name]
    people = invent_bodies(np.random.default_rng(0), 300, skeleton)
    assert np.isfinite(people).all()
    assert people[..., 2].min() > -0.01
    assert people[..., 2].max() < 1.5
    for start, end in skeleton.limbs:
        length = np.linalg.norm(people[:, start] - people[:, end], axis=-1)
        # Hands stretched from a body that bends are no limbs; those have one length, up to stature and spread.
        if skeleton.joints[start].split("_")[-1] in ("knee", "elbow"):
            assert length.std() / length.mean() < 0.15


def test_bodies_look_where_they_look() -> None:
    """A walker's left is on its left: the direction of walking is that of looking."""
    people = bodies()
    walked = np.gradient(people[:, SKELETON.index("mid_hip"), :2], axis=0)
    angle = facing(people, SKELETON)
    assert np.cos(angle - np.arctan2(walked[:, 1], walked[:, 0])).min() > 0.9
    template = body_template(SKELETON).double().numpy()
    assert facing(template[None], SKELETON)[0] == pytest.approx(0, abs=0.05)


def test_bodies_are_matched_by_the_joints_that_are_seen() -> None:
    people = np.array([[[0.0, 0], [0, 50], [0, 100]], [[60, 0], [60, 50], [60, 100]]])
    seen = np.array([[[62.0, 0], [0, 0], [0, 0]], [[3, 0], [3, 50], [3, 100]]])
    weight = np.array([[1.0, 0, 0], [1, 1, 1]])
    assert match_bodies(people, np.full(2, 100.0), seen, weight).tolist() == [1, 0]
    assert match_bodies(people, np.full(2, 100.0), seen, 0 * weight).tolist() == [-1, -1]
    assert match_bodies(people[:0], np.zeros(0), seen, weight).tolist() == []
    assert match_bodies(people, np.full(2, 100.0), seen[:0], weight[:0]).tolist() == [-1, -1]


def test_attention_forgives_what_cannot_be_explained() -> None:
    target = torch.zeros(1, 2, 12, 12)
    target[:, :, 3, 3] = 1.0
    drawn = target.clone()
    assert cross_view_render_loss(drawn, target, None) == 0
    target[:, 0, 9, 9] = 1.0  # a keypoint that nobody can explain
    attention = AttentionNetwork(2)(target)
    assert attention.shape == target.shape
    wrong = torch.ones_like(target)
    wrong[:, 0, 9, 9] = 0.0
    costs = [float(cross_view_render_loss(drawn, target, believed)) for believed in (torch.ones_like(target), wrong)]
    assert costs[1] < 0.2 * costs[0]
    assert cross_view_render_loss(target, target, torch.zeros_like(target)) > 0  # believing nothing is not free


def test_pose_network_begins_with_what_is_seen() -> None:
    from selfmva.pose.voxels.projection import CameraBatch, fitting_affine
    from selfmva.pose.voxels.rendering import render_keypoints

    cameras, views = ring()
    rig = CameraBatch.of(cameras, views)
    rig = rig.onto_maps(fitting_affine(rig.size, (120, 68)), (120, 68)).to(dtype=torch.float32)
    truth = torch.from_numpy(bodies()[:1]).float()
    pixels, _, seen = rig.project(truth)
    heatmaps = render_keypoints(pixels.transpose(1, 2), seen.float().transpose(1, 2), (120, 68), 1.5)
    network = PoseNetwork(len(SKELETON), cells=24)
    centre = truth.mean(dim=1) + 0.05
    found = network(heatmaps[None], rig, centre, torch.tensor([0]), STATURE)
    assert (found - truth).norm(dim=-1).max() < 0.1
    assert network(heatmaps[None], rig, centre[:0], torch.zeros(0, dtype=torch.long), STATURE).shape == (0, 15, 3)


def test_joints_at_and_behind_cameras_are_nothing_to_break_by() -> None:
    cameras, _ = ring()
    observed = observe(bodies(4), cameras, noise=2.0)
    place = torch.from_numpy(bodies(4))
    place[0, 0] = torch.from_numpy(cameras[0].centre)
    place[1, :, :] = torch.from_numpy(cameras[1].centre + 1e-7)
    place[2] += 500.0
    precision, pull = observed.information(place, observed.weight)
    assert torch.isfinite(precision).all()
    assert torch.isfinite(pull).all()
    refined = refiner()(observed, place, STATURE)
    assert torch.isfinite(refined.joints).all()
    assert torch.isfinite(refined.covariance).all()
