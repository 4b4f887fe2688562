"""Boxes that stand away from their id find the id of where they stand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfmva import Associator, Frame, View
from selfmva.errors import InputError
from selfmva.metrics.tracking import TrackingScores, score
from selfmva.tracking.reassignment import places_on_floor, reassign
from selfmva.tracking.single_camera import track_views
from selfmva.tracking.voting import assign_in_images, majority_ids, window_sums

CORNERS = ["x1", "y1", "x2", "y2"]


def crowd(people: int = 3, views: int = 4, instants: int = 5, seed: int = 0) -> pd.DataFrame:
    """People 3 body heights apart, seen by all views, .1 off."""
    grid = np.meshgrid(np.arange(instants), np.arange(views), np.arange(people), indexing="ij")
    frame, view, person = (values.ravel() for values in grid)
    shake = np.random.default_rng(seed).normal(0, 0.1, (len(frame), 2))
    return pd.DataFrame({"frame": frame, "view": view, "id": person, "x": 3.0 * person + shake[:, 0], "y": shake[:, 1]})


def reassigned(table: pd.DataFrame, ids: np.ndarray, **options: object) -> np.ndarray:
    return reassign(table.frame, table.view, ids, table[["x", "y"]], **options)  # type: ignore[arg-type]


def test_truth_stays_and_swaps_are_undone_in_any_order() -> None:
    table = crowd().sample(frac=1, random_state=0)
    truth = table.id.to_numpy()
    assert (reassigned(table, truth) == truth).all()
    swapped = np.where((table.view == 2) & (truth < 2), 1 - truth, truth)
    assert (reassigned(table, swapped) == truth).all()
    turned = np.where(table.view == 1, (truth + 1) % 3, truth)  # three in a circle
    assert (reassigned(table, turned) == truth).all()


def test_of_two_views_nobody_knows_which_one_errs() -> None:
    table = crowd(views=2)
    swapped = np.where((table.view == 1) & (table.id < 2), 1 - table.id, table.id)
    assert (reassigned(table, swapped) == swapped).all()


def test_of_two_boxes_of_one_id_the_one_that_stands_there_keeps_it() -> None:
    table = crowd()
    doubled = np.where((table.view == 0) & (table.id == 1), 2, table.id)
    assert (reassigned(table, doubled) == table.id).all()
    # Its place is taken by somebody who stays: it belongs to nobody.
    extra = pd.concat([table, table[(table.view == 0) & (table.id == 2)].assign(x=30.0)], ignore_index=True)
    found = reassigned(extra, extra.id.to_numpy())
    assert (found[: len(table)] == table.id).all()
    assert (found[len(table) :] == -1).all()


def test_unknown_places_and_nobody_stay() -> None:
    table = crowd()
    ids = np.where((table.view == 2) & (table.id < 2), 1 - table.id, table.id)
    table.loc[table.view == 2, "x"] = np.nan
    ids[table.view == 3] = -1
    assert (reassigned(table, ids) == ids).all()
    assert reassign([], [], [], np.zeros((0, 2))).shape == (0,)


def test_places_are_those_of_the_homography() -> None:
    matrix = np.array([[0.01, 0, -1], [0, 0.02, -2], [0, 0.001, 0.1]])
    boxes = np.array([[90.0, 10, 110, 200], [40, 30, 60, 180]])
    homogeneous = np.array([[100, 200, 1], [50, 180, 1]]) @ matrix.T
    for sign in (1, -1):
        found = places_on_floor(boxes, [0, 0], [sign * matrix])
        np.testing.assert_allclose(found, homogeneous[:, :2] / homogeneous[:, 2:])
    assert np.isnan(places_on_floor(boxes, [1, 1], [matrix, None])).all()
    with pytest.raises(InputError, match="views must be numbers from 0 to 0"):
        places_on_floor(boxes, [0, 1], [matrix])


def test_windows_are_those_of_a_slow_count() -> None:
    rng = np.random.default_rng(3)
    instants, tracks = rng.integers(0, 30, 60), rng.integers(-1, 4, 60)
    values = rng.normal(size=(60, 2))
    np.testing.assert_array_equal(
        window_sums(instants * 3 + 2**60, tracks, values, 9), window_sums(instants * 3, tracks, values, 9)
    )
    for window in (1, 4, 7, 99):
        near = np.abs(instants[:, None] - instants) <= (window - 1) // 2
        same = (tracks[:, None] == tracks) & (tracks >= 0) | np.eye(60, dtype=bool)
        np.testing.assert_allclose(window_sums(instants, tracks, values, window), (near & same) @ values)


def test_votes_are_most_in_total_and_no_answer_twice() -> None:
    votes = np.array([[5.0, 4, 0], [5, 1, 0], [9, 0, 0], [3, 0, 0]])
    answers = assign_in_images(np.array([0, 0, 1, 1]), np.zeros(4, int), votes)
    assert answers.tolist() == [1, 0, 0, -1]
    ids = majority_ids(np.arange(6), np.zeros(6, int), np.array([3, 3, 3, 8, 8, 8]), np.zeros(6, int), 3)
    assert ids.tolist() == [3, 3, 3, 8, 8, 8]


def corrupted(table: pd.DataFrame, views: int, seed: int = 0, swaps: int = 12, length: int = 80) -> np.ndarray:
    """The ids with two of a view swapped for 80 instants, twelve times in each."""
    rng = np.random.default_rng(seed)
    ids, frame, view = (table[name].to_numpy().copy() for name in ("id", "frame", "view"))
    for number in range(views):
        for _ in range(swaps):
            start = rng.integers(frame.min(), frame.max() - length)
            inside = (view == number) & (frame >= start) & (frame < start + length)
            there = np.unique(ids[inside])
            if len(there) > 1:
                one, other = rng.choice(there, 2, replace=False)
                first, second = inside & (ids == one), inside & (ids == other)
                ids[first], ids[second] = other, one
    return ids


@cache
def scene(root: Path, number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Instants 1500 to 2000 of four views, and where everybody stands on the floor that `fit` finds before them."""
    parts = [
        pd.read_csv(root / "epfl" / f"{number}_{view + 1}.txt", header=None, usecols=range(6)).assign(view=view)
        for view in range(4)
    ]
    rows = pd.concat(parts, ignore_index=True)
    table = pd.DataFrame({"frame": rows[0], "view": rows.view, "id": rows[1], "x1": rows[2], "y1": rows[3]})
    table = table.assign(x2=rows[2] + rows[4], y2=rows[3] + rows[5]).drop_duplicates(["frame", "view", "id"])
    views = [View(f"view {view}", 360, 288) for view in range(4)]
    earlier = [
        Frame([group[group.view == view][CORNERS].to_numpy(float) for view in range(4)])
        for _, group in table[(table.frame < 1500) & (table.frame % 10 == 0)].groupby("frame")
    ]
    floor = Associator(seed=0).fit(views, earlier).floor_
    assert floor is not None
    test = table[table.frame.between(1500, 2000)].reset_index(drop=True)
    return test, places_on_floor(test[CORNERS], test.view, floor.homographies)


def scored(table: pd.DataFrame, ids: np.ndarray) -> TrackingScores:
    return score(table, table.assign(id=ids)[ids >= 0])


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("number", "input_pairs", "input_idf1"),
    [(13, 0.394, 0.496), pytest.param(12, 0.350, 0.544, marks=pytest.mark.slow)],
)
def test_swaps_in_a_real_scene(data_root: Path, number: int, input_pairs: float, input_idf1: float) -> None:
    table, places = scene(data_root, number)
    truth = table.id.to_numpy()
    columns = (table.frame, table.view)
    assert (reassign(*columns, truth, places) != truth).mean() <= 0.01
    ids = corrupted(table, 4)
    before, after = (scored(table, each) for each in (ids, reassign(*columns, ids, places)))
    assert before.pairs is not None
    assert after.pairs is not None
    assert before.union is not None
    assert after.union is not None
    assert (before.pairs.f1, before.union.idf1) == pytest.approx((input_pairs, input_idf1), abs=5e-4)
    assert after.pairs.f1 >= before.pairs.f1 + 0.05
    assert after.union.idf1 >= before.union.idf1 - 5e-4
    tracks = track_views(*columns, table[CORNERS], method="nearest")
    steady = scored(table, reassign(*columns, ids, places, tracks=tracks, window=15))
    assert steady.union is not None
    assert steady.union.id_switches < after.union.id_switches
    # The limit of the 14th scene, which is not here, is that of the input; the 12th misses it by 4 of 167.
    assert steady.union.id_switches <= 1.03 * before.union.id_switches
