"""Tracks: tables, places, gaps and files say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_scenes import scene
from true_floors import true_association, true_floor
from true_tracks import true_tracks

import selfmva
from selfmva.association.tracks import Tracks
from selfmva.core.types import Frame, View
from selfmva.errors import InputError
from selfmva.io import read_coco, read_mot
from selfmva.metrics.tracking import Trajectories, score
from selfmva.tracking.interpolation import fill_gaps

COLUMNS = ["frame", "view", "view_name", "box", "id", "x1", "y1", "x2", "y2", "score", "confidence"]
COLUMNS += ["floor_x", "floor_y", "speed"]
DOOR, HALL = View("door", 200, 100), View("hall", 200, 100)


def make(*instants: tuple[int, Sequence[int], Sequence[int]], scored: bool = True, **options: Any) -> Tracks:
    """Number, ids in the door, ids in the hall; a box lies where its id and instant say."""
    frames, ids = [], []
    for t, *people in instants:
        boxes = [[[10 * p + t, 20, 10 * p + t + 8, 60] for p in map(abs, part)] for part in people]
        frames.append(Frame(boxes, t, scores=[[0.5] * len(part) for part in people] if scored else None))
        ids.append(tuple(np.array(part, dtype=np.int64) for part in people))
    sure = tuple(tuple(np.full(len(part), 0.75) for part in one) for one in ids)
    return Tracks((DOOR, HALL), tuple(frames), tuple(ids), sure, **options)


def test_the_table_says_who_is_where() -> None:
    table = make((4, [7, 3], [3]), (6, [3], [-1])).to_dataframe()
    assert list(table.columns) == COLUMNS
    assert table["frame"].tolist() == [4, 4, 4, 6, 6]
    assert table["view_name"].tolist() == ["door", "door", "hall", "door", "hall"]
    assert table["box"].tolist() == [0, 1, 0, 0, 0]
    assert table["id"].tolist() == [7, 3, 3, 3, -1]
    assert table["x1"].tolist() == [74, 34, 34, 36, 16]
    assert table["score"].tolist() == [0.5] * 5
    assert table["confidence"].tolist() == [0.75] * 5
    assert table[["floor_x", "floor_y", "speed"]].isna().all().all()
    assert make((4, [7], []), scored=False).to_dataframe()["score"].isna().all()


def test_boxes_that_are_none_are_not_in_the_table() -> None:
    frame = Frame([[[0, 0, 0, 9], [5, 5, 9, 9]], []], 3, on_bad_box="drop")
    ids, sure = ((np.array([-1, 8]), np.zeros(0, np.int64)),), ((np.array([0.0, 1.0]), np.zeros(0)),)
    table = Tracks((DOOR, HALL), (frame,), ids, sure).to_dataframe()
    assert table[["box", "id"]].to_numpy().tolist() == [[1, 8]]


def test_places_are_those_of_associations() -> None:
    recording = scene()
    tracks = true_tracks(recording, range(20))
    table = tracks.to_dataframe()
    for t in range(20):
        association = replace(true_association(recording, t, true_floor(recording)), ids=tracks.ids[t])
        own = table[(table["frame"] == t) & (table["id"] >= 0)].drop_duplicates("id").sort_values("id")
        np.testing.assert_allclose(own[["floor_x", "floor_y"]], association.floor_positions())
    person = tracks.people[0]
    positions = tracks.positions(person)
    shown = table[table["id"] == person].drop_duplicates("frame")
    np.testing.assert_array_equal(positions, shown[["frame", "floor_x", "floor_y"]])


def test_speed_is_that_of_the_walk() -> None:
    recording = scene(instants=40)
    table = true_tracks(recording, range(0, 40, 2)).to_dataframe(frames_per_second=4)
    assert list(table.columns) == ["frame", "time", *COLUMNS[1:]]
    np.testing.assert_allclose(table["time"], table["frame"] / 4)
    for _, own in table[table["id"] >= 0].groupby("id"):
        walk = own.drop_duplicates("frame")
        places, t = walk[["floor_x", "floor_y"]].to_numpy(), walk["time"].to_numpy()
        middle = np.hypot(*(places[2:] - places[:-2]).T) / (t[2:] - t[:-2])
        np.testing.assert_allclose(walk["speed"].to_numpy()[1:-1], middle)


def test_where_a_person_is_seen() -> None:
    tracks = make((4, [7, 3], [3]), (6, [3], [-1]))
    assert tracks.people == (3, 7)
    assert tracks.where(3)[["frame", "view", "box"]].to_numpy().tolist() == [[4, 0, 1], [4, 1, 0], [6, 0, 0]]
    assert tracks.where(np.int64(7))["view_name"].tolist() == ["door"]
    assert [one.groups() for one in tracks] == [[{0: 1, 1: 0}, {0: 0}], [{0: 0}]]
    assert [one.index for one in tracks] == [4, 6]
    assert len(tracks) == 2


@pytest.mark.parametrize("person", [5, -1, 2.0, "7", None, True])
@pytest.mark.parametrize("ask", [Tracks.positions, Tracks.where])
def test_an_unknown_person_is_refused_with_those_there_are(ask: Callable[..., Any], person: Any) -> None:
    with pytest.raises(InputError, match=r"no person .* the ids are 3, 7"):
        ask(make((4, [7, 3], [3])), person)


def test_gaps_are_filled_up_to_a_length() -> None:
    tracks = make((0, [3], [4]), (1, [], []), (2, [], [4]), (3, [3], []), (4, [], []), (9, [], [4]))
    filled = tracks.filled(2)
    table = filled.to_dataframe()
    assert list(table.columns) == [*COLUMNS, "filled"]
    rows = table[table["filled"]]
    assert rows[["frame", "view", "id"]].to_numpy().tolist() == [[1, 0, 3], [1, 1, 4], [2, 0, 3], [3, 1, 4], [4, 1, 4]]
    np.testing.assert_allclose(rows["x1"], 10 * rows["id"] + rows["frame"])  # as if they had been seen
    assert set(rows["confidence"]) == {0.75}
    assert "5 of them filled" in repr(filled)
    assert tracks.filled(1).to_dataframe()["filled"].sum() == 1
    again = filled.filled(2)
    assert again.to_dataframe().equals(table)
    assert len(tracks.to_dataframe()) == 5  # what was there is as it was


def test_gaps_are_filled_by_the_rule_of_columns() -> None:
    """`Tracks` and columns of boxes are filled alike where every instant is there."""
    rng = np.random.default_rng(4)
    tracks = make(*((t, [3, 5][: rng.integers(0, 3)], [4][: rng.integers(0, 2)]) for t in range(80)))
    table = tracks.to_dataframe()
    boxes = table[["x1", "y1", "x2", "y2"]].to_numpy()
    wanted = fill_gaps(table["frame"], table["view"], table["id"], boxes, most_gap=2, least_boxes=2)
    found = tracks.filled(2).to_dataframe().query("filled").sort_values(["view", "id", "frame"])
    assert wanted.filled.sum() > 10
    np.testing.assert_array_equal(
        found[["frame", "view", "id"]], np.stack([wanted.instants, wanted.views, wanted.ids], axis=1)[wanted.filled]
    )
    np.testing.assert_allclose(found[["x1", "y1", "x2", "y2"]], wanted.boxes[wanted.filled])


@pytest.mark.parametrize("most_gap", [0, -1, 2.0, None])
def test_a_gap_is_a_whole_number(most_gap: Any) -> None:
    with pytest.raises(InputError, match="most_gap must be a whole number"):
        make((0, [3], [])).filled(most_gap)


def test_files_hold_the_people(tmp_path: Path) -> None:
    tracks = make((4, [7, 3], [3]), (6, [3], [-1]))
    tracks.to_mot(tmp_path)
    frames = read_mot(tmp_path, tracks.views)
    assert [[part.tolist() for part in frame.track_ids or ()] for frame in frames] == [[[7, 3], [3]], [[3], []]]
    tracks.to_coco(tmp_path / "tracks.json")
    frames = read_coco(tmp_path / "tracks.json", tracks.views)
    assert [[part.tolist() for part in frame.track_ids or ()] for frame in frames] == [[[7, 3], [3]], [[3], [-1]]]
    tracks.to_aicity(tmp_path / "track1.txt")
    lines = (tmp_path / "track1.txt").read_text().splitlines()
    expected = ["1 3 4 34 20 8 40 -1 -1", "1 7 4 74 20 8 40 -1 -1", "1 3 6 36 20 8 40 -1 -1", "2 3 4 34 20 8 40 -1 -1"]
    assert lines == expected
    tracks.to_aicity(tmp_path / "track1.txt", cameras=[46, 12])
    assert (tmp_path / "track1.txt").read_text().splitlines()[0].startswith("12 3 4 ")


@pytest.mark.parametrize("cameras", [[1], [1, 1], "12", [1.5, 2]])
def test_numbers_of_cameras_are_one_a_view(tmp_path: Path, cameras: Any) -> None:
    with pytest.raises(InputError, match="cameras must be"):
        make((4, [7], [3])).to_aicity(tmp_path / "track1.txt", cameras=cameras)


def test_supervision_gets_the_ids() -> None:
    pytest.importorskip("supervision")
    found = make((4, [7, 3], [3]), (6, [3], [-1])).to_supervision()
    assert [[part.tracker_id.tolist() for part in one] for one in found] == [[[7, 3], [3]], [[3], [-1]]]


def test_scores_take_tracks() -> None:
    recording = scene()
    tracks = true_tracks(recording, range(30))
    truth = Trajectories.from_frames(
        [recording.frame(t) for t in range(30)], [recording.identities(t) for t in range(30)]
    )
    scores = score(truth, tracks)
    assert scores.union is not None
    assert scores.union.idf1 == scores.union.mota == 1
    assert scores.view_names == tuple(view.name for view in recording.views)


def test_a_notebook_shows_who_is_there() -> None:
    tracks = make((4, [7, 3], [3]), (6, [3], [-1]))
    assert repr(tracks) == "Tracks(2 instants, 2 views, 2 people, 4 boxes)"
    page = tracks._repr_html_()
    assert "<tr><th>3</th><td>4</td><td>6</td><td>2</td><td>1</td></tr>" in page
    assert "<tr><th>7</th><td>4</td><td>4</td><td>1</td><td></td></tr>" in page
    many = make(*((t, [t], []) for t in range(25)))
    assert "and 5 more" in many._repr_html_()


def test_tracks_of_nothing() -> None:
    for tracks in (Tracks((DOOR,), (), (), ()), make((0, [], []))):
        assert tracks.people == ()
        assert list(tracks.to_dataframe().columns) == COLUMNS
        assert len(tracks.filled().to_dataframe()) == 0
        assert "0 people" in repr(tracks) + tracks._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": "all"}, "frames must be"),
        ({"views": ("door", "hall")}, "views must be View"),
        ({"views": (DOOR,)}, "instant 4 has 2 views"),
        ({"ids": ()}, "ids must have one entry per frame, got 0 for 2"),
        ({"ids": ((np.array([1]), np.array([1])),) * 2}, "instant 4: ids must have one entry per box"),
        ({"ids": ((np.array([1, 1]), np.array([1])),) * 2}, "two boxes of view 'door' have the id 1"),
        ({"confidences": ((np.zeros(2),) * 2,) * 2}, "confidences must have one entry per box"),
        ({"filled_boxes": ()}, "filled_boxes must have one entry"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(make((4, [7, 3], [3]), (6, [3, 7], [-1])), **change)


@pytest.mark.parametrize(("instants", "message"), [((6, 4), "instant 4 comes after instant 6"), ((4, 4), "twice")])
def test_instants_stand_in_their_order(instants: tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(*((t, [3], []) for t in instants))


def test_tracks_are_at_the_top() -> None:
    assert selfmva.Tracks is Tracks
