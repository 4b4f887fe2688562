"""MvMHAT's association over views and time, with looks that are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from selfmva.errors import InputError
from selfmva.metrics.tracking import score
from selfmva.tracking.adaptive_softmax import adaptive_softmax, group_views
from selfmva.tracking.multi_view_tracker import MultiViewTracker, decide_numbers

CORNERS = ["x1", "y1", "x2", "y2"]


@pytest.mark.parametrize("columns", [1, 2, 7, 40])
@pytest.mark.parametrize("delta", [0.5, 0.8])
def test_softmax_is_the_published_one(columns: int, delta: float) -> None:
    cosines = np.random.default_rng(0).uniform(-1, 1, (5, columns))
    sharpness = np.log(delta / (1 - delta) * columns) / 0.1
    found = adaptive_softmax(cosines, dustbin=None, delta=delta)
    np.testing.assert_allclose(found, softmax(sharpness * cosines, axis=1))
    with_bin = softmax(np.log(delta / (1 - delta) * (columns + 1)) / 0.1 * np.c_[cosines, np.full(5, 0.4)], axis=1)
    np.testing.assert_allclose(adaptive_softmax(cosines, dustbin=0.4, delta=delta), with_bin[:, :-1])


@pytest.mark.parametrize("columns", [2, 10, 200])
def test_a_match_that_is_better_by_the_margin_has_delta_whatever_the_number_of_rivals(columns: int) -> None:
    cosines = np.array([[0.6] + [0.5] * (columns - 1)])
    assert adaptive_softmax(cosines, dustbin=None)[0, 0] == pytest.approx(columns / (2 * columns - 1))


def test_a_lone_stranger_is_no_match() -> None:
    assert adaptive_softmax([[0.1]], dustbin=None)[0, 0] == 1
    assert adaptive_softmax([[0.1]])[0, 0] < 0.1
    assert adaptive_softmax([[0.9]])[0, 0] > 0.9
    assert adaptive_softmax(np.zeros((3, 0))).shape == (3, 0)
    assert group_views([[1.0, 0], [0, 1]], [0, 1]).tolist() == [0, 1]
    assert group_views([[1.0, 0], [np.nan, 0], [0, 0]], [0, 1, 1]).tolist() == [0, 1, 2]
    assert group_views(np.zeros((0, 3)), []).tolist() == []
    with pytest.raises(InputError, match="delta must be a probability"):
        adaptive_softmax([[0.1]], delta=1.0)


def test_tracks_override_groups_but_at_provisional_instants() -> None:
    view, groups, in_time = np.array([0, 1, 2]), np.array([0, 0, 0]), np.array([3, 8, 3])
    assert decide_numbers(view, groups, in_time, 9, provisional=False)[0].tolist() == [3, 8, 3]
    assert decide_numbers(view, groups, in_time, 9, provisional=True)[0].tolist() == [3, 3, 3]
    # Nobody else wants 8 in the second view: what time says is kept.
    assert decide_numbers(view, np.array([0, 1, 0]), in_time, 9, provisional=True)[0].tolist() == [3, 8, 3]
    # Two views that see somebody first at one instant give one number.
    assert decide_numbers(view, groups, np.full(3, -1), 9, provisional=False)[0].tolist() == [9, 9, 9]


def recording(people: int = 4, views: int = 3, instants: int = 70, seed: int = 0) -> pd.DataFrame:
    """People who walk to and fro; each view misses a tenth of them, and people may come late."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(np.arange(instants), np.arange(views), np.arange(people), indexing="ij")
    frame, view, person = (values.ravel() for values in grid)
    x = 150 + 100 * person + 120 * np.sin(frame / 15 + person + view)
    table = pd.DataFrame({"frame": frame, "view": view, "id": person, "x1": x, "y1": 50.0 * view})
    table = table.assign(x2=table.x1 + 40, y2=table.y1 + 100)
    return table[(rng.random(len(table)) > 0.1) & (frame >= 10 * person)].reset_index(drop=True)


def looks(ids: np.ndarray, seed: int = 0) -> np.ndarray:
    """Embeddings with a cosine of about .9 for one identity, and of .2 for two."""
    rng = np.random.default_rng(seed)
    numbers, person = np.unique(ids, return_inverse=True)
    basis = np.linalg.qr(rng.normal(size=(96, len(numbers) + 1)))[0].T
    people = np.sqrt(0.2 / 0.9) * basis[0] + np.sqrt(1 - 0.2 / 0.9) * basis[1:]
    return np.sqrt(0.9) * people[person] + np.sqrt(0.1 / 96) * rng.normal(size=(len(ids), 96))


def tracked(table: pd.DataFrame, embeddings: np.ndarray, views: int, **options: int) -> np.ndarray:
    tracker = MultiViewTracker(views, **options)  # type: ignore[arg-type]
    ids = np.full(len(table), -1)
    corners = table[CORNERS].to_numpy(float)
    for _, rows in sorted(table.groupby("frame").indices.items()):
        parts = [rows[table.view.to_numpy()[rows] == view] for view in range(views)]
        for part, found in zip(
            parts,
            tracker.update([corners[part] for part in parts], [embeddings[part] for part in parts]),
            strict=True,
        ):
            ids[part] = found
    return ids


def partition(ids: np.ndarray) -> np.ndarray:
    return np.unique(ids, return_inverse=True)[1][:, None] == np.unique(ids, return_inverse=True)[1]


def test_one_number_a_person_in_all_views_in_any_order() -> None:
    table = recording()
    embeddings = looks(table.id.to_numpy())
    ids = tracked(table, embeddings, 3)
    assert (ids >= 0).all()
    union = score(table, table.assign(id=ids)).union
    assert union is not None
    assert union.idf1 == 1
    turned = table.assign(view=(table.view + 1) % 3)
    assert (partition(tracked(turned, embeddings, 3)) == partition(ids)).all()


def test_views_correct_a_track_at_the_next_provisional_instant() -> None:
    """In one view two people change places while nobody looks, and overlap says the wrong thing."""
    looks_of = np.eye(4)
    boxes = [[0.0, 0, 40, 100], [300, 0, 340, 100]]
    tracker = MultiViewTracker(3, reassociate_every=5)
    none = np.full((2, 4), np.nan)
    assert [ids.tolist() for ids in tracker.update([boxes] * 3, [looks_of[:2]] * 3)] == [[0, 1]] * 3
    assert tracker.update([boxes] * 3, [looks_of[:2], looks_of[:2], none])[2].tolist() == [0, 1]
    swapped = looks_of[[1, 0]] + 0.6 * looks_of[[2, 3]]  # too far from the galleries, near enough for the views
    found = [tracker.update([boxes] * 3, [looks_of[:2], looks_of[:2], swapped])[2].tolist() for _ in range(4)]
    assert found == [[0, 1]] * 3 + [[1, 0]]


def test_trackers_share_nothing_and_bad_input_changes_nothing() -> None:
    box, look = [[[0, 0, 5, 9]]], [[[1.0, 0]]]
    one, other = MultiViewTracker(1), MultiViewTracker(1)
    assert one.update(box, look)[0].tolist() == other.update(box, look)[0].tolist() == [0]
    with pytest.raises(InputError, match="one entry for each of 1 views, got 2 and 1"):
        one.update(box * 2, look)
    with pytest.raises(InputError, match=r"embeddings of view 0 must have shape \(1, D\)"):
        one.update(box, [[[1.0, 0], [0, 1]]])
    assert one.update([np.zeros((0, 4))], [np.zeros((0, 2))])[0].tolist() == []
    one.reset()
    assert one.update(box, look)[0].tolist() == [0]


@pytest.mark.realdata
@pytest.mark.parametrize("scene", [12, 13])
def test_real_walks(data_root: Path, scene: int) -> None:
    parts = [
        pd.read_csv(data_root / "epfl" / f"{scene}_{view + 1}.txt", header=None, usecols=range(6)).assign(view=view)
        for view in range(4)
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows[0].between(1500, 2000) & (rows[0] % 2 == 0)].drop_duplicates([0, "view", 1]).reset_index(drop=True)
    table = pd.DataFrame({"frame": rows[0], "view": rows.view, "id": rows[1], "x1": rows[2], "y1": rows[3]})
    table = table.assign(x2=rows[2] + rows[4], y2=rows[3] + rows[5])
    ids = tracked(table, looks(table.id.to_numpy()), 4, most_missed=250)  # people leave for longer than 80 instants
    union = score(table, table.assign(id=ids)).union
    assert union is not None
    assert union.idf1 >= 0.97
