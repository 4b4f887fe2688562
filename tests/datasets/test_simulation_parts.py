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


def test_a_lens_moves_points_along_their_radius_and_never_folds_back() -> None:
    size = (1280, 720)
    radius = np.linspace(0, 6, 2000)[1:]
    points = np.array([640.0, 360]) + radius[:, None] * [640.0, 360]  # half the diagonal is 1
    for coefficient in (-0.14, -0.05, 0.2):
        bent = cameras.distort(points, size, coefficient) - [640.0, 360]
        np.testing.assert_allclose(bent[:, 1] * 640, bent[:, 0] * 360, rtol=1e-9)
        there = bent[:, 0] / 640
        whole = radius**2 < (np.inf if coefficient > 0 else -1 / (3 * coefficient))
        np.testing.assert_allclose(there[whole], (radius + coefficient * radius**3)[whole])
        assert (np.diff(there) > -1e-9).all()
        assert there[~whole].min(initial=2) > 1  # outside of the image


def test_boxes_through_a_lens_match_brute_force() -> None:
    size, floor = (1280, 720), np.array([12.0, 9.0])
    intrinsics, rotations, centres = cameras.place_cameras(1, size, floor, np.random.default_rng(3))
    projections = intrinsics @ rotations @ np.concatenate([np.eye(3)[None], -centres[..., None]], axis=-1)
    places = np.array([[[[6.0, 4.5], [4.0, 3.0], [8.0, 6.0]]]])
    heights, radii = np.full((1, 1, 3), 1.7), np.full((1, 1, 3), 0.25)

    def lens(points: np.ndarray) -> np.ndarray:
        return cameras.distort(points, size, -0.12)

    boxes = cameras.project_bodies(projections[None], places, heights, radii, lens)[0]
    straight = cameras.project_bodies(projections[None], places, heights, radii)[0]
    ring = np.stack([np.cos(turn := np.linspace(0, 2 * np.pi, 2000)), np.sin(turn)], axis=1)
    for body in range(3):
        points = [
            np.column_stack(
                [places[0, 0, body] + wide * 0.25 * ring, np.full(len(ring), tall * 1.7), np.ones(len(ring))]
            )
            for tall, wide in cameras.BODY_CIRCLES
        ]
        pixels = np.concatenate(points) @ projections[0].T
        flat = lens(pixels[:, :2] / pixels[:, 2:])
        np.testing.assert_allclose(boxes[0, 0, body], [*flat.min(axis=0), *flat.max(axis=0)], atol=1.5)
    assert np.abs(boxes - straight).max() > 5


def test_cameras_at_eye_level_and_pixels_that_are_not_square_change_nothing_else() -> None:
    floor = np.array([12.0, 9.0])
    usual = cameras.place_cameras(4, (1280, 720), floor, np.random.default_rng(5))
    odd = cameras.place_cameras(4, (1280, 720), floor, np.random.default_rng(5), eye_level=2, pixel_aspect=1.25)
    np.testing.assert_array_equal(odd[2][:2, 2], 1.6)
    np.testing.assert_array_equal(odd[2][2:], usual[2][2:])
    np.testing.assert_array_equal(odd[2][:, :2], usual[2][:, :2])
    np.testing.assert_allclose(odd[0][:, 1, 1] / odd[0][:, 0, 0], 1.25)
    np.testing.assert_array_equal(odd[0][:, 0], usual[0][:, 0])


def test_children_are_a_share_of_the_people_and_keep_their_proportions() -> None:
    people = 4000
    adults = crowds.Crowd(
        np.zeros((1, people, 2)), np.arange(people)[None], np.full(people, 1.8), np.full(people, 0.24)
    )
    mixed = crowds.with_children(adults, 0.3, np.random.default_rng(0))
    child = mixed.heights < 1.5
    assert child.mean() == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / people) ** 0.5)
    assert ((mixed.heights[child] >= 0.9) & (mixed.heights[child] <= 1.4)).all()
    np.testing.assert_array_equal(mixed.heights[~child], 1.8)
    np.testing.assert_allclose(mixed.radii / mixed.heights, 0.24 / 1.8)


def test_people_who_linger_stand_more_and_come_less() -> None:
    still, entered = [], []
    for linger in (1.0, 20.0):
        crowd = crowds.walk(
            people=12,
            instants=1500,
            interval_seconds=0.4,
            floor=np.array([12.0, 9.0]),
            standing=False,
            rng=np.random.default_rng(1),
            linger=linger,
        )
        there = (crowd.identities[1:] >= 0) & (crowd.identities[1:] == crowd.identities[:-1])
        still.append(np.mean(np.linalg.norm(np.diff(crowd.places, axis=0), axis=-1)[there] < 0.04))
        entered.append(len(crowd.heights))
        assert 8 < (crowd.identities >= 0).sum(axis=1).mean() < 16
    assert still[1] > still[0] + 0.2
    assert entered[1] < entered[0] / 4
