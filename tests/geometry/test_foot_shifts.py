"""Feet that are seen beside where they are: found where views of one person tell, and zero where they don't."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from body_scenes import true_cameras

from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.calibration import sightings_of_recording
from selfmva.geometry.cameras import Camera
from selfmva.geometry.floor import Floor
from selfmva.geometry.foot_shifts import learn_foot_shifts, shifted
from selfmva.geometry.given_cameras import floor_of_cameras

# Across and down, as fractions of the boxes' heights: of the size that real recordings have.
TRUE_SHIFTS = np.array([[0.05, 0.06], [-0.04, 0.03], [0.06, -0.02], [0.0, 0.07]])


@cache
def scene() -> Simulated:
    return Simulated(views=4, people=5, instants=300, seed=5)


@cache
def frames(moved: bool = False, turned: int | None = None) -> tuple[Frame, ...]:
    """Boxes of the scene, with shifts beside their own; those of one view turned by 180 degrees."""
    result = []
    for t in range(0, 300, 2):
        frame = scene().frame(t)
        boxes = []
        for number, (view, own) in enumerate(zip(scene().views, frame.boxes, strict=True)):
            size = (own[:, 3] - own[:, 1])[:, None]
            across, down = TRUE_SHIFTS[number] if moved else (0.0, 0.0)
            away = own + size * [across, 0.0, across, down]
            away = np.clip(away, 0, [view.width, view.height] * 2)
            if turned == number:
                away = ([view.width, view.height] * 2 - away)[:, [2, 3, 0, 1]]
            boxes.append(away)
        result.append(Frame(boxes, t))
    return tuple(result)


def test_known_shifts_are_found() -> None:
    """Boxes have shifts of their own, by toes and by detectors: moved by more, they have more by exactly that."""
    cameras = true_cameras(scene())
    before, after = (floor_of_cameras(scene().views, cameras, frames(moved))[0] for moved in (False, True))
    assert before.foot_shifts is not None
    assert after.foot_shifts is not None
    np.testing.assert_allclose(after.foot_shifts - before.foot_shifts, TRUE_SHIFTS, atol=0.02)
    # And people stand where they stood, as far as a common shift of everything cannot be seen.
    boxes, moved = (np.concatenate([frame.boxes[0] for frame in frames(m)]) for m in (False, True))
    view = np.zeros(len(boxes), np.int64)
    places = [floor.read(own, view).foot * floor.unit for floor, own in ((before, boxes), (after, moved))]
    assert np.nanmedian(np.linalg.norm(places[0] - places[1], axis=1)) < 0.05


def test_people_stand_nearer_to_where_they_stand() -> None:
    """Truth is asked: with what was learnt, feet are nearer to it than without."""
    floor, against = floor_of_cameras(scene().views, true_cameras(scene()), frames(True))
    assert against == ()
    errors = []
    for one in (floor, replace(floor, foot_shifts=None)):
        away = []
        for frame in frames(True):
            known, places = scene().ground_positions(frame.index)
            where = dict(zip(known.tolist(), places, strict=True))
            for number, who in enumerate(scene().identities(frame.index)):
                found = one.read(frame.boxes[number], np.full(len(who), number)).foot * one.unit
                away += [np.linalg.norm(found[k] - where[i]) for k, i in enumerate(who.tolist()) if i in where]
        errors.append(np.median(away))
    assert errors[0] < 0.75 * errors[1]


def test_a_view_upside_down_is_no_other() -> None:
    """Its image turned by 180 degrees, and its camera with it."""
    cameras = true_cameras(scene())
    view = scene().views[1]
    turn = np.array([[-1.0, 0, view.width], [0, -1, view.height], [0, 0, 1]])
    around = np.diag([-1.0, -1, 1])
    own = cameras[1]
    cameras[1] = Camera(turn @ own.K @ around, around @ own.R, around @ own.t)
    upright, _ = floor_of_cameras(scene().views, true_cameras(scene()), frames(True))
    floor, against = floor_of_cameras(scene().views, cameras, frames(True, 1))
    assert against == ()
    assert floor.views_upside_down == (1,)
    np.testing.assert_allclose(floor.foot_shifts, upright.foot_shifts, atol=5e-3)
    assert floor.unit == pytest.approx(upright.unit, rel=1e-3)
    boxes, turned = (np.concatenate([f.boxes[1] for f in frames(True, n)]) for n in (None, 1))
    places = [
        one.read(own, np.ones(len(own), np.int64)).estimates()[0] for one, own in ((upright, boxes), (floor, turned))
    ]
    np.testing.assert_allclose(places[1], places[0], atol=0.05)


def test_nobody_tells_nothing() -> None:
    nobody = [Frame([np.zeros((0, 4))] * 4, t) for t in range(10)]
    floor = Floor.from_cameras(scene().views, true_cameras(scene()))
    sightings = sightings_of_recording(scene().views, nobody, floor.cameras)
    placed = {view: camera for view, camera in enumerate(floor.cameras) if camera is not None}
    assert not learn_foot_shifts(sightings, placed).any()
    assert shifted(sightings[0], np.zeros(2)) is sightings[0]
