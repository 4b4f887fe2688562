"""The parts of the simulator: its geometry against brute force, its detector's errors, its people."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.datasets.simulation import cameras, detector
from selfmva.datasets.simulation import crowd as crowds


def test_boxes_of_bodies_match_brute_force() -> None:
    rng = np.random.default_rng(3)
    floor = np.array([12.0, 9.0])
    intrinsics, rotations, centres = cameras.place_cameras(3, (1280, 720), floor, rng)
    projections = intrinsics @ rotations @ np.concatenate([np.tile(np.eye(3), (3, 1, 1)), -centres[..., None]], axis=-1)
    places, heights, radii = (
        floor * rng.random((1, 1, 20, 2)),
        rng.uniform(1.5, 2, (1, 1, 20)),
        np.full((1, 1, 20), 0.25),
    )
    boxes, depths, seen = cameras.project_bodies(projections[None], places, heights, radii)

    turn = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for view in range(3):
        for body in range(20):
            points = []
            for fraction_of_height, fraction_of_radius in cameras.BODY_CIRCLES:
                circle = np.ones((len(ring), 4))
                circle[:, :2] = places[0, 0, body] + fraction_of_radius * radii[0, 0, body] * ring
                circle[:, 2] = fraction_of_height * heights[0, 0, body]
                points.append(circle)
            pixels = np.concatenate(points) @ projections[view].T
            assert seen[0, view, body] == (pixels[:, 2].min() > 0.3) or abs(pixels[:, 2].min() - 0.3) < 0.3
            if seen[0, view, body]:
                flat = pixels[:, :2] / pixels[:, 2:]
                np.testing.assert_allclose(boxes[0, view, body], [*flat.min(axis=0), *flat.max(axis=0)], atol=0.05)
                middle = np.array([*places[0, 0, body], heights[0, 0, body] / 2]) - centres[view]
                assert depths[0, view, body] == pytest.approx(rotations[view, 2] @ middle)


def test_cameras_are_upright_and_see_the_middle_of_the_floor() -> None:
    floor = np.array([12.0, 9.0])
    intrinsics, rotations, centres = cameras.place_cameras(8, (1280, 720), floor, np.random.default_rng(0))
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, 1, 2), np.tile(np.eye(3), (8, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    assert ((centres[:, 2] >= 2.5) & (centres[:, 2] <= 5)).all()
    assert ((centres[:, :2] < 0) | (centres[:, :2] > floor)).any(axis=1).all()
    assert (rotations[:, 1, 2] < 0).all()  # down in the image is down in the world
    middle = np.einsum("vij,vj->vi", intrinsics @ rotations, np.array([6.0, 4.5, 1.0]) - centres)
    assert (middle[:, 2] > 0).all()
    assert (np.abs(middle[:, :2] / middle[:, 2:] - [640, 360]) < [400, 300]).all()


def test_jitter_is_relative_to_the_size() -> None:
    rng = np.random.default_rng(0)
    boxes = np.tile([[600.0, 200, 640, 400], [300, 100, 380, 500]], (5000, 1))
    moved = detector.jitter_boxes(boxes, 0.05, (1280, 720), rng)
    for rows in (slice(0, None, 2), slice(1, None, 2)):
        side = boxes[rows][0, 2:] - boxes[rows][0, :2]
        shift = ((moved - boxes)[rows, :2] + (moved - boxes)[rows, 2:]) / 2 / side
        stretch = np.log((moved[rows, 2:] - moved[rows, :2]) / side)
        np.testing.assert_allclose(shift.std(axis=0), 0.05, rtol=0.06)  # 4 sigma of 5000 draws
        np.testing.assert_allclose(stretch.std(axis=0), 0.05, rtol=0.06)


def test_truncation() -> None:
    boxes = np.array([[-30.0, 0, 10, 20], [-10, 0, 30, 20], [0, 90, 10, 110], [200, 200, 300, 300]])
    clipped, seen = detector.truncate(boxes, (100, 100), 0.5)
    assert seen.tolist() == [False, True, True, False]
    assert clipped[1].tolist() == [0, 0, 30, 20]


def test_occlusion() -> None:
    behind, left_half, in_front = [0.0, 0, 80, 80], [0.0, 0, 40, 80], [0.0, 0, 80, 80]

    def seen(boxes: list[list[float]], depths: list[float], threshold: float) -> list[bool]:
        still = detector.occlude(np.array(boxes), np.array(depths), np.ones(len(boxes), bool), threshold)[1]
        return [bool(s) for s in still]

    assert seen([behind, left_half], [5, 3], 0.5) == [True, True]
    assert seen([behind, left_half], [5, 3], 0.49) == [False, True]
    assert seen([behind, left_half], [3, 5], 0.5) == [True, False]  # the nearer one hides all of the other
    assert seen([behind, in_front], [5, 3], 1) == [True, True]  # glass
    two = [behind, left_half, [40.0, 0, 80, 40], [40.0, 20, 80, 60]]  # together they hide seven eighths
    assert seen(two, [5, 3, 3, 3], 0.875)[0]
    assert not seen(two, [5, 3, 3, 3], 0.874)[0]

    cut, _ = detector.occlude(np.array([behind, [-5.0, 50, 90, 100]]), np.array([5.0, 3]), np.ones(2, bool), 0.6)
    assert cut.tolist() == [[0, 0, 80, 50], [-5, 50, 90, 100]]
    _, ghost = detector.occlude(np.array([behind, in_front]), np.array([5.0, 3]), np.array([True, False]), 0.6)
    assert ghost.tolist() == [True, False]  # what is not there hides nobody


def test_people_live() -> None:
    floor = np.array([12.0, 9.0])
    crowd = crowds.walk(
        people=10, instants=6000, interval_seconds=0.4, floor=floor, standing=False, rng=np.random.default_rng(0)
    )
    inside = crowd.identities >= 0
    assert inside.sum(axis=1).mean() == pytest.approx(10, rel=0.1)
    assert inside.sum(axis=1).std() > 1  # they come and go
    assert ((crowd.places >= 0) & (crowd.places <= floor)).all()
    assert crowd.identities.max() + 1 == len(crowd.heights) == len(crowd.radii)
    assert ((crowd.heights >= 1.5) & (crowd.heights <= 2)).all()

    same = inside[1:] & (crowd.identities[1:] == crowd.identities[:-1])
    speed = np.linalg.norm(np.diff(crowd.places, axis=0), axis=-1)[same] / 0.4
    assert np.percentile(speed, 99.5) < 2
    assert 0.1 < (speed < 0.05).mean() < 0.6  # they stop
    assert 0.3 < speed.mean() < 1.2

    gaps = np.linalg.norm(crowd.places[:, :, None] - crowd.places[:, None], axis=-1)
    gaps[~(inside[:, :, None] & inside[:, None]) | np.eye(inside.shape[1], dtype=bool)] = np.inf
    nearest = gaps.min(axis=2)[inside]
    assert (nearest < 0.35).mean() < 0.02  # nobody walks through anybody

    # Of those who stand, four in ten stand beside somebody who stands; without meetings it is one in thirty.
    slow = np.linalg.norm(np.diff(crowd.places, axis=0), axis=-1) < 0.04
    still = slow & same
    beside = gaps[1:]
    beside[~(still[:, :, None] & still[:, None])] = np.inf
    assert (beside.min(axis=2)[still] < 1.0).mean() > 0.2


def test_nobody_comes_back() -> None:
    crowd = crowds.walk(
        people=5,
        instants=3000,
        interval_seconds=0.4,
        floor=np.array([8.0, 6.0]),
        standing=False,
        rng=np.random.default_rng(1),
    )
    for person in range(len(crowd.heights)):
        instants, slots = np.nonzero(crowd.identities == person)
        assert (np.diff(instants) == 1).all()
        assert len(set(slots.tolist())) == 1
