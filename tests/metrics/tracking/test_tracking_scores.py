"""Scores of tracks: cases counted by hand, and what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import CORNERS, made_tracks

from selfmva.metrics.tracking import TrackingScores, Trajectories, score

BOX = {"x1": 0.0, "y1": 0.0, "x2": 10.0, "y2": 20.0}


def standing(ids: list[int], *, view: int = 0, x: float = 0.0) -> pd.DataFrame:
    """Somebody who stands still, with an id for each instant."""
    table = pd.DataFrame({"frame": range(len(ids)), "view": view, "id": ids, **BOX})
    table[["x1", "x2"]] += x
    return table


def values(scores: TrackingScores) -> pd.DataFrame:
    table = scores.to_dataframe()
    if scores.pairs is not None:
        table["pair_f1"] = scores.pairs.f1
    return table


def test_perfect_tracks() -> None:
    truth, _ = made_tracks(0, views=2)
    scores = score(truth, truth.assign(id=truth["id"] + 100), mvmhat=True)
    perfect = ["mota", "motp", "recall", "precision", "idf1", "idp", "idr", "hota", "deta", "assa", "loca"]
    assert (scores.to_dataframe()[perfect] == 1).all(axis=None)
    assert scores.pairs is not None
    assert (scores.pairs.f1, scores.pairs.right) == (1, scores.pairs.true_pairs)
    assert scores.mvmhat is not None
    assert scores.mvmhat.mvma == 1
    assert scores.union is not None
    assert (scores.union.id_switches, scores.union.mostly_tracked) == (0, scores.union.people)


def test_a_switch_in_the_middle() -> None:
    """Of ten boxes five have each id: one switch, half of the boxes right, and tracks that are half of the person."""
    scores = score(standing([7] * 10), standing([1] * 5 + [2] * 5))
    union = scores.union
    assert union is not None
    assert (union.mota, union.id_switches, union.fragmentations) == (0.9, 1, 0)
    assert union.idf1 == union.idp == union.idr == 0.5
    assert (union.deta, union.assa, union.hota) == pytest.approx((1, 0.5, math.sqrt(0.5)))
    assert scores.pairs is None


def test_a_gap_and_a_return() -> None:
    """Missed for two of ten instants: no switch, one track taken up again, 80 % tracked is not mostly."""
    found = standing([1] * 10).drop(index=[4, 5])
    union = score(standing([7] * 10), pd.concat([found, standing([9] * 10, x=500.0)])).union
    assert union is not None
    assert (union.id_switches, union.fragmentations, union.partly_tracked) == (0, 1, 1)
    assert union.recall == 0.8
    assert union.precision == pytest.approx(8 / 18)
    assert union.mota == pytest.approx(1 - (2 + 10) / 10)


def test_an_id_for_each_view_halves_the_union_alone() -> None:
    truth = pd.concat([standing([7] * 4), standing([7] * 4, view=1)])
    scores = score(truth, pd.concat([standing([1] * 4), standing([2] * 4, view=1)]))
    assert [part.idf1 for part in scores.views] == [1, 1]
    assert scores.union is not None
    assert (scores.union.idf1, scores.union.id_switches) == (0.5, 1)
    assert scores.pairs is not None
    assert (scores.pairs.recall, scores.pairs.found_pairs, scores.pairs.true_pairs) == (0, 0, 4)
    assert math.isnan(scores.pairs.precision)


def test_boxes_of_two_views_never_match() -> None:
    scores = score(
        standing([7] * 4), Trajectories.from_table(standing([7] * 4, view=1)).in_views(np.array([0, 0]), None, 1)
    )
    assert scores.union is not None
    assert scores.union.mota == 1
    truth = pd.concat([standing([7] * 4), standing([8] * 4, view=1, x=500)])
    scores = score(truth, standing([7] * 4, view=1))
    assert scores.union is not None
    assert (scores.union.true_positives, scores.union.false_positives) == (0, 4)


@pytest.mark.parametrize(("apart", "idf1"), [(0.49, 1), (0.5, 1), (0.51, 0)])
def test_the_floor_ends_at_its_distance(apart: float, idf1: float) -> None:
    truth = pd.DataFrame({"frame": range(5), "id": 3, "floor_x": 1.0, "floor_y": 2.0})
    floor = score(truth, truth.assign(floor_x=1 + apart), floor_distance=0.5).floor
    assert floor is not None
    assert floor.idf1 == idf1
    if idf1:
        assert floor.motp == pytest.approx(1 - apart)


def test_a_person_has_one_position_an_instant() -> None:
    """Two views see somebody at two places: the mean is where they are. A row without a position says nothing."""
    truth = pd.DataFrame({"frame": [0], "view": [0], "id": [3], **{k: [v] for k, v in BOX.items()}, "floor_x": [1.0]})
    truth["floor_y"] = 0.0
    found = pd.concat([truth.assign(view=view, floor_x=x) for view, x in enumerate([0.5, 1.5, math.nan])])
    scores = score(Trajectories.from_table(truth, views=3), found, floor_distance=0.1)
    assert scores.floor is not None
    assert (scores.floor.idf1, scores.floor.found_boxes, scores.floor.motp) == (1, 1, 1)


def test_boxes_of_nobody() -> None:
    """Found boxes without an id are not counted; one on an unknown person is not, or costs as a false one."""
    truth = pd.concat([standing([7] * 4), standing([-1] * 4, x=100.0)])
    found = pd.concat([standing([1] * 4), standing([2] * 4, x=100.0), standing([-1] * 4, x=300.0)])
    ignored, counted = score(truth, found).union, score(truth, found, ignore_unknown=False).union
    assert ignored is not None
    assert counted is not None
    assert (ignored.mota, ignored.found_boxes, ignored.boxes) == (1, 4, 4)
    assert (counted.mota, counted.found_boxes, counted.false_positives) == (0, 8, 4)


def test_nobody_is_found() -> None:
    truth = standing([7] * 4)
    union = score(truth, truth.iloc[:0]).union
    assert union is not None
    assert (union.mota, union.idf1, union.hota, union.recall, union.mostly_lost) == (0, 0, 0, 0, 1)
    assert math.isnan(union.precision)
    assert math.isnan(union.motp)


def test_a_view_that_shows_nobody() -> None:
    truth = Trajectories.from_table(standing([7] * 4), views=2)
    scores = score(truth, Trajectories.from_table(standing([7] * 4), views=2))
    assert scores.views[0].hota == 1
    assert math.isnan(scores.views[1].mota)
    assert math.isnan(scores.views[1].hota)
    assert scores.union is not None
    assert scores.union.hota == 1


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_neither_order_nor_numbers_matter(seed: int) -> None:
    truth, found = made_tracks(seed, views=2, people=5, spread=60)
    rng = np.random.default_rng(seed)
    expected = values(score(truth, found, instants=range(20), floor_distance=0.3))
    shuffled = [table.sample(frac=1, random_state=seed) for table in (truth, found)]
    for table in shuffled:
        table["id"] = table["id"].map(dict(enumerate(rng.permutation(100).tolist())))
    again = values(score(*shuffled, instants=range(20), floor_distance=0.3))
    pd.testing.assert_frame_equal(again, expected)


@given(st.integers(0, 1000))
@settings(max_examples=15)
def test_neither_empty_instants_nor_other_numbers_of_them_matter(seed: int) -> None:
    truth, found = made_tracks(seed, views=2, instants=8)
    expected = values(score(truth, found, instants=range(8)))
    later = [table.assign(frame=3 * table["frame"] + 50) for table in (truth, found)]
    pd.testing.assert_frame_equal(values(score(*later, instants=range(200))), expected)


@given(st.integers(0, 1000))
@settings(max_examples=15)
def test_the_order_of_views_moves_what_changes_between_them_alone(seed: int) -> None:
    truth, found = made_tracks(seed, views=3, spread=80)
    swapped = [table.assign(view=2 - table["view"]) for table in (truth, found)]
    one, other = (score(*tables, instants=range(20)) for tables in ((truth, found), swapped))
    assert [part.to_dict() for part in reversed(other.views)] == [part.to_dict() for part in one.views]
    assert other.pairs == one.pairs
    assert one.union is not None
    assert other.union is not None
    for name in ("idf1", "idp", "idr", "hota", "deta", "assa", "loca"):
        assert getattr(other.union, name) == pytest.approx(getattr(one.union, name))


def test_what_is_printed() -> None:
    truth, found = made_tracks(1, views=2)
    scores = score(truth, found, instants=range(20), mvmhat=True)
    lines = repr(scores).splitlines()
    assert lines[0].split() == [
        "mota",
        "motp",
        "idf1",
        "idp",
        "idr",
        "hota",
        "deta",
        "assa",
        "id_switches",
        "fragmentations",
    ]
    assert [line.split("  ")[0] for line in lines[2:6]] == ["view 0", "view 1", "union", "floor"]
    assert lines[-2].startswith("pairs of views: f1 ")
    assert lines[-1].startswith("MvMHAT's metric: mvidp ")
    assert scores._repr_html_().startswith("<pre>")
    table = scores.to_dataframe()
    assert list(table.index) == ["view 0", "view 1", "union", "floor"]
    assert scores.union is not None
    assert table.loc["union", "hota"] == scores.union.hota == scores.union.curves.hota.mean()
    assert scores.union.curves.alpha.tolist() == pytest.approx(np.linspace(0.05, 0.95, 19).tolist())


def test_the_same_curves_are_reached_at_each_threshold() -> None:
    """A box that overlaps by 0.62 is found at the twelve thresholds up to 0.60, and not at the others."""
    truth = standing([7])
    found = truth.assign(x2=6.2)
    union = score(truth, found).union
    assert union is not None
    assert union.curves.deta.tolist() == [1.0] * 12 + [0.0] * 7
    assert union.curves.loca.tolist() == pytest.approx([0.62] * 12 + [1.0] * 7)
    assert union.hota == pytest.approx(12 / 19)
    assert list(BOX) == CORNERS


def test_a_tracker_that_never_keeps_an_id() -> None:
    """2,000 ids of 200 people: one box of ten is right."""
    people = np.repeat(np.arange(200), 10)
    frames = np.tile(np.arange(10), 200)
    places = np.stack([people * 10.0, np.zeros(len(people))], axis=1)
    truth = Trajectories(frames, np.zeros(len(people), np.int64), people, floor=places)
    broken = Trajectories(frames, truth.views, np.arange(len(people)), floor=places)
    floor = score(truth, broken, floor_distance=0.5).floor
    assert floor is not None
    assert (floor.idr, floor.id_switches, floor.recall) == (0.1, 1_800, 1)
    assert floor.assa == pytest.approx(0.1)
