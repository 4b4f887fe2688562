"""A calibration that exists: taken as it is, in its unit, and contradicted by boxes where it is wrong."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from body_scenes import frames_of_people, people, true_cameras

from selfmva import Associator, Frame
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError, RigChangedWarning
from selfmva.geometry.camera_files import write_cameras
from selfmva.geometry.cameras import Camera
from selfmva.geometry.intrinsics import Intrinsics
from selfmva.metrics.evaluate import evaluate


@cache
def scene(distortion: float = 0.0) -> Simulated:
    return Simulated(views=3, people=6, instants=200, seed=3, distortion=distortion)


@cache
def fitted() -> Associator:
    frames = [scene().frame(t) for t in scene().splits["train"]]
    return Associator(recipe="geometry").fit(scene().views, frames, cameras=true_cameras(scene()))


def test_people_stand_where_they_stand() -> None:
    """In metres, since the cameras are."""
    away = []
    for t in scene().splits["test"]:
        association = fitted().associate(scene().frame(t))
        known, places = scene().ground_positions(t)
        identities = scene().identities(t)
        for person, place in zip(association.groups(), association.floor_positions(), strict=True):
            whose = [identities[view][box] for view, box in person.items()]
            if len(set(whose)) == 1 and whose[0] >= 0 and len(whose) > 1:
                away.append(np.linalg.norm(places[known == whose[0]][0] - place))
    assert len(away) > 100
    assert np.median(away) < 0.3  # boxes end at the toes, nearer to each camera than people stand


def test_the_given_cameras_are_the_cameras() -> None:
    for own, given in zip(fitted().cameras_, true_cameras(scene()), strict=True):
        assert own is not None
        assert np.allclose(own.matrix, given.matrix)
    floor = fitted().floor_
    assert floor is not None
    assert all(floor.trusted(i, j) for i, j in ((0, 1), (0, 2), (1, 2)))
    people_tall = np.mean(scene()._heights)
    assert floor.unit == pytest.approx(people_tall, rel=0.12)  # boxes are taller than bodies, seen from above


def test_as_good_as_what_is_found() -> None:
    assert evaluate(fitted(), scene()).average_precision > 0.9


def test_a_saved_model_keeps_them(tmp_path: Path) -> None:
    fitted().save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    frame = scene().frame(180)
    assert all(
        np.array_equal(a, b) for a, b in zip(loaded.associate(frame).ids, fitted().associate(frame).ids, strict=True)
    )
    assert loaded.cameras_[0] is not None
    assert np.allclose(loaded.cameras_[0].matrix, true_cameras(scene())[0].matrix)
    assert loaded.floor_ is not None
    assert fitted().floor_ is not None
    np.testing.assert_array_equal(loaded.floor_.foot_shifts, fitted().floor_.foot_shifts)


def test_swapped_cameras_are_said() -> None:
    frames = [scene().frame(t) for t in scene().splits["train"]]
    swapped = true_cameras(scene())[::-1]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = Associator(recipe="geometry").fit(scene().views, frames, cameras=swapped)
    contradiction = next(one for one in said if one.category is RigChangedWarning)
    assert "contradict the cameras that were given" in str(contradiction.message)
    assert found.floor_ is not None
    assert not all(support.trusted for support in found.floor_.supports.values())


def test_a_lens_is_straightened() -> None:
    """A distortion of the simulator's lens, as OpenCV knows it, brings boxes to where straight lenses have them."""
    lens = (-0.2, 0.05, 0.0, 0.0)
    camera = true_cameras(scene())[0]
    bent = Camera(camera.K, camera.R, camera.t, lens)
    feet = np.array([[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]])
    (x, y), width = bent.project(feet)[0].T, 40.0
    boxes = np.column_stack([x - width / 2, y - 100, x + width / 2, y])
    rig = [bent, *true_cameras(scene())[1:]]
    frames = [scene().frame(t) for t in scene().splits["train"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these boxes are of straight lenses
        floor = Associator(recipe="geometry").fit(scene().views, frames, cameras=rig).floor_
    assert floor is not None
    found = floor.read(boxes, np.zeros(2, np.int64)).foot * floor.unit
    assert np.allclose(found, feet[:, :2], atol=0.02)


def test_by_name_and_by_file(tmp_path: Path) -> None:
    names = [view.name for view in scene().views]
    known = dict(zip(names, true_cameras(scene()), strict=True))
    write_cameras(tmp_path / "rig.toml", known, "pose2sim")
    frames = [scene().frame(t) for t in range(60)]
    for given in (known, tmp_path / "rig.toml", {**known, names[2]: None}):
        found = Associator(recipe="geometry").fit(scene().views, frames, cameras=given).cameras_
        assert found[0] is not None
        assert np.allclose(found[0].matrix, known[names[0]].matrix, rtol=1e-5)
        assert (found[2] is None) == (isinstance(given, dict) and given[names[2]] is None)


def test_with_keypoints_nothing_is_searched() -> None:
    true = true_cameras(people())
    associator = Associator(recipe="geometry").fit(people().views, frames_of_people()[:60], cameras=true)
    identities, joints = people().joints(120)
    poses = associator.poses(people().frame(120))
    assert len(poses) >= 1
    for pose in poses.joints:
        away = np.nanmedian(np.linalg.norm(joints - pose, axis=-1), axis=1)
        assert away.min() < 0.06
    assert len(identities) >= len(poses)


@pytest.mark.parametrize(
    ("cameras", "said"),
    [
        (lambda: true_cameras(scene())[:2], "2 entries, there are 3 views"),
        (lambda: [*true_cameras(scene())[:1], None, None], "two views are needed, got 1"),
        (lambda: {"door": true_cameras(scene())[0]}, "cameras name 'door'"),
        (lambda: [1, 2, 3], "must be a Camera or None"),
        (lambda: 7, "must be one Camera a view"),
        (lambda: [Camera(c.K, c.R, c.t, size=(640, 360)) for c in true_cameras(scene())], "images of 640 x 360"),
        (
            lambda: [Camera(c.K * [[3, 1, 3], [1, 3, 3], [1, 1, 1]], c.R, c.t) for c in true_cameras(scene())],
            "outside of",
        ),
        (lambda: [Camera(c.K, c.R @ np.diag([1, -1, -1]), c.t) for c in true_cameras(scene())], "z points up"),
    ],
)
def test_errors(cameras, said: str | None) -> None:
    frames: list[Frame] = [scene().frame(t) for t in range(40)]
    with pytest.raises(InputError, match=said):
        Associator(recipe="geometry").fit(scene().views, frames, cameras=cameras())


def bent(lens: tuple[float, ...], view: int, boxes: np.ndarray) -> np.ndarray:
    """Boxes of straight lenses as a lens shows them: middles of both ends where it has them."""
    camera = true_cameras(scene())[view]
    own = Camera(camera.K, np.eye(3), np.zeros(3), lens)
    middle, half = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 2] - boxes[:, 0]) / 2
    ends = []
    for side in (1, 3):
        pixels = np.column_stack([middle, boxes[:, side], np.ones(len(boxes))])
        ends.append(own.project(pixels @ np.linalg.inv(camera.K).T)[0])
    (x, bottom), top = ends[1].T, ends[0][:, 1]
    limits = [scene().views[view].width, scene().views[view].height]
    return np.clip(np.column_stack([x - half, top, x + half, bottom]), 0, limits * 2)


@cache
def bent_frames(lens: tuple[float, ...]) -> list[Frame]:
    frames = [scene().frame(t) for t in scene().splits["train"]]
    return [Frame([bent(lens, v, b) for v, b in enumerate(f.boxes)], f.index, on_bad_box="drop") for f in frames]


LENS = (-0.2, 0.05, 0.0, 0.0)


def test_what_a_bent_lens_shows_is_learnt_from_straightened() -> None:
    """The same people, the same floor: as tall, and with feet as far from the bottoms of boxes."""
    cameras = [Camera(c.K, c.R, c.t, LENS) for c in true_cameras(scene())]
    floor = Associator(recipe="geometry").fit(scene().views, bent_frames(LENS), cameras=cameras).floor_
    assert floor is not None
    assert fitted().floor_ is not None
    assert floor.unit == pytest.approx(fitted().floor_.unit, rel=0.01)
    np.testing.assert_allclose(floor.foot_shifts, fitted().floor_.foot_shifts, atol=0.02)


def test_a_lens_alone_is_held(tmp_path: Path) -> None:
    """The rest is searched; what is found has exactly that lens, saved and loaded."""
    lenses = [Intrinsics(c.K, LENS) for c in true_cameras(scene())]
    associator = Associator(recipe="geometry").fit(scene().views, bent_frames(LENS), cameras=lenses)
    assert associator.floor_ is not None
    assert associator.floor_.views_on_floor == (0, 1, 2)
    associator.save_pretrained(tmp_path)
    for model in (associator, Associator.from_pretrained(tmp_path)):
        for found, true in zip(model.cameras_, true_cameras(scene()), strict=True):
            assert found is not None
            np.testing.assert_allclose(found.K, true.K)
            np.testing.assert_allclose(found.distortion, LENS)
    # Pairs of cameras stand to each other as they do, up to the scale of people, which nobody gave.
    true = [camera.centre for camera in true_cameras(scene())]
    found = [camera.centre for camera in associator.cameras_ if camera is not None]
    sides = [[np.linalg.norm(where[i] - where[j]) for i, j in ((0, 1), (0, 2), (1, 2))] for where in (true, found)]
    ratio = np.divide(*sides)
    np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=0.08)


def test_projections_and_homographies() -> None:
    """A projection is its camera; a homography is kept, and the heights of people tell the rest."""
    frames = [scene().frame(t) for t in scene().splits["train"]]
    true = true_cameras(scene())
    projections = [-2.0 * camera.matrix for camera in true]
    homographies = [np.linalg.inv(camera.matrix[:, [0, 1, 3]]) for camera in true]
    for given in (projections, homographies, [projections[0], true[1], homographies[2]]):
        found = Associator(recipe="geometry").fit(scene().views, frames, cameras=given)
        assert found.floor_ is not None
        feet = np.array([[scene().views[0].width / 2, scene().views[0].height * 0.9]])
        for view in range(3):
            assert fitted().floor_ is not None
            np.testing.assert_allclose(found.floor_.place(view, feet), fitted().floor_.place(view, feet), atol=1e-3)
        assert found.floor_.unit == pytest.approx(fitted().floor_.unit, rel=0.05)


def test_giants_are_said() -> None:
    """One camera in centimetres among cameras in metres: its people would be dwarfs."""
    frames = [scene().frame(t) for t in scene().splits["train"]]
    odd = true_cameras(scene())
    odd[1] = Camera(odd[1].K, odd[1].R, odd[1].t * 100)
    with pytest.warns(RigChangedWarning, match=f"the boxes of {scene().views[1].name!r} contradict"):
        floor = Associator(recipe="geometry").fit(scene().views, frames, cameras=odd).floor_
    assert floor is not None
    assert not floor.trusted(0, 1)
    assert floor.trusted(0, 2)
