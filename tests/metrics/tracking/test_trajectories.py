"""What tracks are read from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_tracks import made_tracks

from selfmva.association.association import Association
from selfmva.core.types import Frame, View
from selfmva.datasets.simulated import Simulated
from selfmva.errors import DataError, InputError
from selfmva.io import write_coco, write_mot
from selfmva.metrics.tracking import Trajectories, score

VIEWS = [View("door", 640, 480), View("hall", 640, 480)]


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return made_tracks(2, views=2)


def as_frames(table: pd.DataFrame) -> tuple[list[Frame], list[list[np.ndarray]]]:
    frames, ids = [], []
    for instant, rows in table.groupby("frame"):
        views = [rows[rows["view"] == view] for view in range(2)]
        frames.append(Frame([part[["x1", "y1", "x2", "y2"]].to_numpy() for part in views], index=int(instant)))
        ids.append([part["id"].to_numpy() for part in views])
    return frames, ids


class HasTable:
    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def to_dataframe(self) -> pd.DataFrame:
        return self.table


def test_every_way_in_gives_the_same_scores(tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path) -> None:
    truth, found = (table.drop(columns=["floor_x", "floor_y"]) for table in tables)
    instants = range(20)
    expected = score(truth, found, instants=instants).to_dataframe()
    frames, ids = as_frames(found)
    associations = [Association(frame, VIEWS, tuple(who), {}) for frame, who in zip(frames, ids, strict=True)]
    tracked = [Frame(frame.boxes, frame.index, track_ids=who) for frame, who in zip(frames, ids, strict=True)]
    write_mot(tmp_path / "found", tracked, 2)
    write_coco(tmp_path / "found.json", tracked, VIEWS)
    found.to_csv(tmp_path / "found.csv", index=False)
    unknown = found.head(3).assign(id=pd.array([pd.NA] * 3, dtype="Int64"))
    ways = {
        "trajectories": Trajectories.from_table(found),
        "a pair": (frames, ids),
        "labels": list(zip(frames, ids, strict=True)),
        "associations": associations,
        "tracks": HasTable(found),
        "other names": found.rename(columns={"id": "track_id"}),
        "a table with missing ids": pd.concat([found.astype({"id": "Int64"}), unknown]),
        "a table on the disk": tmp_path / "found.csv",
        "COCO": tmp_path / "found.json",
        "a folder of MOT text": str(tmp_path / "found"),
        "files of MOT text": [tmp_path / "found" / f"view{view}.txt" for view in range(2)],
    }
    for name, way in ways.items():
        again = score(truth, way, instants=instants).to_dataframe().set_axis(expected.index)
        pd.testing.assert_frame_equal(again, expected, obj=name)


def test_views_meet_by_their_names(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    truth, found = tables
    expected = score(truth, found, instants=range(20))
    named = truth.assign(view=truth["view"].map({0: "door", 1: "hall"}))
    turned = found.assign(view_name=found["view"].map({0: "door", 1: "hall"}), view=1 - found["view"])
    scores = score(named, turned, instants=range(20))
    assert scores.view_names == ("door", "hall")
    assert [part.to_dict() for part in scores.views] == [part.to_dict() for part in expected.views]
    with pytest.raises(InputError, match="found has the views door, attic, truth has door, hall: give both the same"):
        score(named, found.assign(view=found["view"].map({0: "door", 1: "attic"})), instants=range(20))


def test_labels_of_a_dataset() -> None:
    scene = Simulated(views=2, people=3, instants=40, seed=0)
    truth = Trajectories.from_dataset(scene, split="test")
    pairs = [(scene.frame(index), scene.identities(index)) for index in scene.splits["test"]]
    scores = score(truth, pairs)
    assert scores.union is not None
    assert scores.union.hota == 1
    assert scores.view_names == tuple(view.name for view in scene.views)
    with pytest.raises(InputError, match="there is no split 'tset'"):
        Trajectories.from_dataset(scene, split="tset")
    with pytest.raises(InputError, match="a dataset with identities"):
        Trajectories.from_dataset(object())  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"truth: a dataset has splits: give Trajectories.from_dataset"):
        score(scene, pairs)


def test_boxes_that_are_none_are_nobodys() -> None:
    frames = [Frame([[[0, 0, 5, 9], [5, 5, 5, 5]]], index=t, on_bad_box="drop") for t in range(3)]
    found = Trajectories.from_frames(frames, [[[1, 2]]] * 3)
    assert len(found) == 3
    assert found.ids.tolist() == [1, 1, 1]


def test_instants_at_which_nobody_is() -> None:
    """Every tenth image is annotated; at the fourth of them nobody is there, which the step of the others says."""
    truth = pd.DataFrame({"frame": [0, 10, 20, 40], "id": 1, "floor_x": 0, "floor_y": 0})
    assert Trajectories.from_table(truth).all_instants.tolist() == [0, 10, 20, 30, 40]
    floor = score(truth, truth.assign(frame=[0, 10, 20, 30])).floor
    assert floor is not None
    assert (floor.false_positives, floor.false_negatives) == (1, 1)
    with pytest.raises(
        InputError, match=r"found has 1 of 4 boxes at instants that truth does not have, the first at 11"
    ):
        score(truth, truth.assign(frame=[0, 11, 20, 40]))


def test_some_views_and_instants(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    truth, found = map(Trajectories.from_table, tables)
    turned = score(truth.of_views([1, 0]).at(range(5, 12)), found.of_views([1, 0]), instants=range(5, 12))
    plain = score(truth, found, instants=range(5, 12))
    assert [part.to_dict() for part in reversed(turned.views)] == [part.to_dict() for part in plain.views]
    assert len(turned.views) == 2
    with pytest.raises(InputError, match="a view must be a whole number from 0 to 1"):
        truth.of_views([2])
    with pytest.raises(InputError, match="views must be different ones"):
        truth.of_views([0, 0])


def row(**changes: object) -> pd.DataFrame:
    return pd.DataFrame([{"frame": 0, "view": 0, "id": 1, "x1": 0, "y1": 0, "x2": 5, "y2": 9} | changes])


@pytest.mark.parametrize(
    ("truth", "found", "message"),
    [
        (pd.concat([row(), row(x1=1)]), row(), r"truth: the id 1 stands 2 times in view 0 at instant 0"),
        (row(), pd.concat([row(), row(x1=1)]), r"found: .*without_duplicates\(\)"),
        (row(), row(view=1), "found has 1 boxes in view 1, but truth has 1 views"),
        (row(), row(frame=3), "at instants that truth does not have, the first at 3; truth has 1 from 0 to 0"),
        (row(id=-1), row(), "truth has no box of a known person"),
        (row().iloc[:0], row(), "truth has no box of a known person"),
        (row(), row(id=-1), "found has 1 boxes and none has an id: give tracks, not detections"),
        (row(), row(x2=-5), r"found: row 0: box .* needs x2 > x1"),
        (row(), row().drop(columns="id"), "found: the table has no column id; tracks have frame, id, and view"),
        (row(), row().drop(columns="x1"), "found: the table has no column x1"),
        (row(), row(id="one"), "found: the column id must be whole numbers, got 'one'"),
        (row(), row(frame=0.5), "found: the column frame must be whole numbers, got 0.5"),
        (row(), row(view=None), "found: row 0: the view is missing"),
        (row(), row(view=-1), "found: row 0: there is no view -1"),
        (row(), row(x2=1e308), r"found: boxes must be at most 1e\+12, got 1e\+308"),
        (row(), (1, 2), "found must be Trajectories, a table"),
        (row(x1=np.nan, y1=np.nan, x2=np.nan, y2=np.nan), row(), "truth has no box of a known person at the 1 inst"),
        (row(), 3, "found must be Trajectories, a table, a pair .* got 3"),
        (None, row(), "truth must be Trajectories, a table, a pair .* got None"),
        (row(), [], r"found must be Trajectories, a table, a pair .* got \[\]"),
        (row(), ([Frame([[]])], []), "found: ids must have one entry per frame, got 0 for 1 frames"),
        (
            row(),
            ([Frame([[]])], [[[1]]]),
            r"found: instant 0: ids must have one entry per box, got \[1\]",
        ),
        (row(), ([Frame([[]]), Frame([[]])], [[[]], [[]]]), "found: two frames carry the instant 0"),
        (
            row(),
            ([Frame([[]]), Frame([[], []], 1)], [[[]], [[], []]]),
            "found: instant 1 has 2 views, but inst",
        ),
        (
            row().drop(columns=["x1"]).assign(floor_x=0, floor_y=0),
            row(),
            "truth and found have nothing in common",
        ),
    ],
)
def test_what_is_refused(truth: object, found: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(truth, found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 0}, "threshold must be a finite number above 0"),
        ({"threshold": 2}, "threshold must be a finite number above 0"),
        ({"floor_distance": -1}, "floor_distance must be a finite number above 0"),
        ({"ignore_unknown": "no"}, "ignore_unknown must be True or False"),
        ({"mvmhat": 1}, "mvmhat must be True or False"),
        ({"instants": "all"}, "instants must be whole numbers"),
        ({"instants": range(10**9)}, "instants must be at most 10,000,000, got 1,000,000,000"),
        ({"instants": range(50, 60)}, "truth has no box of a known person at the 10 instants"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(row(), row(), **arguments)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        score(tmp_path / "gt.txt", row())
    with pytest.raises(DataError):
        score(tmp_path / "gt.csv", row())


def test_views_of_other_numbers() -> None:
    two = Trajectories.from_table(row(), views=2)
    with pytest.raises(InputError, match="truth has 2 views, found has 1: choose some with"):
        score(two, Trajectories.from_table(row(), views=1))
    with pytest.raises(InputError, match="there are 2 views, but 1 names"):
        Trajectories(two.frames, two.views, two.ids, two.boxes, view_names=("door",), view_count=2)


def test_the_first_of_duplicates_is_kept() -> None:
    twice = Trajectories.from_table(pd.concat([row(), row(x1=1), row(id=-1), row(id=-1)]))
    scores = score(twice.without_duplicates(), row())
    assert scores.union is not None
    assert (scores.union.motp, scores.union.boxes) == (1, 1)
    assert len(twice.without_duplicates()) == 3


def test_columns_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="one row a box in each of their columns, got 2 of frames, 1 of views"):
        Trajectories(frames=[0, 1], views=[0], ids=[0], floor=[[0, 0]])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="need boxes, points of a floor, or both"):
        Trajectories(frames=[0], views=[0], ids=[0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"floor must have shape \(N, 2\)"):
        Trajectories(frames=[0], views=[0], ids=[0], floor=[[0, 0, 0]])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="floor must be finite"):
        Trajectories(frames=[0], views=[0], ids=[0], floor=[[0, np.inf]])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="1 of 1 rows are at instants that are not among those given"):
        Trajectories(frames=[0], views=[0], ids=[0], floor=[[0, 0]], instants=[1])  # type: ignore[arg-type]
