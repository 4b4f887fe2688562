"""Real tracks: the scores that MOTChallenge's own kit, and others, gave them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
import pytest

from selfmva.metrics.tracking import TrackingScores, Trajectories, score

pytestmark = pytest.mark.realdata

DEVKIT = {
    "idf1": "IDF1",
    "idp": "IDP",
    "idr": "IDR",
    "recall": "Rcll",
    "precision": "Prcn",
    "mota": "MOTA",
    "motp": "MOTP",
}
COUNTS = {
    "people": "GT",
    "mostly_tracked": "MT",
    "partly_tracked": "PT",
    "mostly_lost": "ML",
    "false_positives": "FP",
    "false_negatives": "FN",
    "id_switches": "IDs",
    "fragmentations": "FM",
}
# Published tracks of MvMHAT, scored with motmetrics 1.4.0: views, first and last instant; IDF1 of each view; IDF1, IDP,
# IDR of the union, its MOTA, recall, precision, and the F1 of pairs; and the switches, which motmetrics counts
# otherwise: it keeps a match over any number of frames without one.
MVMHAT = {
    10: (3, 5000, 6000, [0.334, 0.264, 0.261], [0.194, 0.216, 0.176, 0.592, 0.714, 0.874, 0.094], 632),
    12: (4, 1500, 2000, [0.683, 0.511, 0.399, 0.527], [0.516, 0.510, 0.521, 0.529, 0.784, 0.768, 0.467], 152),
    13: (4, 1500, 2000, [0.798, 0.417, 0.437, 0.472], [0.387, 0.381, 0.393, 0.793, 0.920, 0.893, 0.203], 81),
}
MVMA = {10: 0.222, 12: 0.268, 13: 0.439}  # by a port of MvMHAT's evaluation that is not published
ROUNDED = 0.0005 + 1e-6


def published(data_root: Path, scene: int, *, mvmhat: bool = False) -> TrackingScores:
    views, first, last = MVMHAT[scene][:3]
    truth, found = (
        [data_root / folder / f"{scene}_{view}.txt" for view in range(1, views + 1)]
        for folder in ("epfl", "mvmhat_published")
    )
    return score(truth, found, instants=range(first, last + 1), mvmhat=mvmhat)


@pytest.mark.parametrize("name", ["TUD-Campus", "TUD-Stadtmitte", "KITTI-17"])
def test_scores_of_the_official_kit(data_root: Path, name: str) -> None:
    """KITTI-17's truth has rows that don't count, marked by a zero; TUD-Stadtmitte's has coordinates for a class."""
    folder = data_root / "mot" / name
    expected = json.loads((folder.parent / "expected.json").read_text(encoding="utf-8"))
    found = score(folder / "gt.txt", folder / "devkit_result.txt").union
    assert found is not None
    official = expected["official_matlab_devkit_percent"][name]
    assert {ours: getattr(found, ours) for ours in DEVKIT} == pytest.approx(
        {ours: official[theirs] / 100 for ours, theirs in DEVKIT.items()}, abs=1e-5
    )
    assert {ours: getattr(found, ours) for ours in COUNTS} == {
        ours: official[theirs] for ours, theirs in COUNTS.items()
    }
    higher = expected["trackeval_1.3.0"][name]
    assert (found.hota, found.deta, found.assa) == pytest.approx(
        (higher["HOTA"], higher["DetA"], higher["AssA"]), abs=1e-4
    )


@pytest.mark.parametrize("scene", MVMHAT)
def test_published_tracks_of_mvmhat(data_root: Path, scene: int) -> None:
    """Identity 0 is a person there, and the seventh column of the labels is 0 in all rows."""
    *_, of_views, of_union, switches = MVMHAT[scene]
    scores = published(data_root, scene)
    assert [part.idf1 for part in scores.views] == pytest.approx(of_views, abs=ROUNDED)
    union, pairs = scores.union, scores.pairs
    assert union is not None
    assert pairs is not None
    values = [union.idf1, union.idp, union.idr, union.mota, union.recall, union.precision, pairs.f1]
    assert values == pytest.approx(of_union, abs=ROUNDED)
    assert union.id_switches == pytest.approx(switches, rel=0.03)


@pytest.mark.parametrize("scene", MVMHAT)
def test_mvmhats_own_metric(data_root: Path, scene: int) -> None:
    scores = published(data_root, scene, mvmhat=True)
    assert scores.mvmhat is not None
    assert scores.mvmhat.mvma == pytest.approx(MVMA[scene], abs=0.0015)


@pytest.mark.parametrize(("name", "idf1", "mota"), [("CMC1", 1.000, 1.000), ("CMC2", 0.967, 0.940)])
def test_published_tracks_on_the_floor(data_root: Path, name: str, idf1: float, mota: float) -> None:
    truth, found = (
        pd.read_csv(data_root / "cmc" / f"{kind}_{name}.csv").rename(columns={"x": "floor_x", "y": "floor_y"})
        for kind in ("gt", "published")
    )
    scores = score(truth, found, floor_distance=0.5)
    assert scores.views == ()
    assert scores.floor is not None
    assert (scores.floor.idf1, scores.floor.mota) == pytest.approx((idf1, mota), abs=0.001)


@pytest.mark.parametrize(
    ("name", "ignored", "expected"),
    [
        ("MOT16-09", 2523, [0.3604717520, 0.8242725335, 0.3780400205, 0.3142337843, 0.2484176121, 117, 1238, 2007]),
        ("MOT16-11", 306, [0.6044255505, 0.8274653355, 0.4309998820, 0.3935553190, 0.2905862503, 149, 1037, 2443]),
    ],
)
def test_what_is_neither_to_be_found_nor_wrong_to_find(
    data_root: Path, tmp_path: Path, name: str, ignored: int, expected: list[float]
) -> None:
    """TrackEval 1.3.0 with its own reader of MOT16, of tracks that also hold all reflections, statues and the like."""
    folder = data_root / "mot" / name
    tracks, truth = (pd.read_csv(folder / f"{file}.txt", header=None) for file in ("published_vglmb", "gt"))
    others = truth[truth[7] != 1].copy()
    others[1] += 1000
    others[2] += 3  # pixels to the right
    pd.concat([tracks[range(6)], others[range(6)]]).to_csv(tmp_path / "found.txt", header=False, index=False)
    people = Trajectories.from_mot(folder / "gt.txt", truth=True)
    assert (people.ids < 0).sum() == ignored
    found = score(people, tmp_path / "found.txt").union
    assert found is not None
    values = [found.mota, found.motp, found.idf1, found.hota, found.assa]
    values += [found.id_switches, found.false_positives, found.false_negatives]
    assert values == pytest.approx(expected, abs=1e-9)
    counted = score(people, tmp_path / "found.txt", ignore_unknown=False).union
    assert counted is not None
    assert counted.found_boxes == len(tracks) + len(others)


def test_time(data_root: Path) -> None:
    """A whole sequence of 900 frames, reading included, on a busy machine."""
    folder = data_root / "mot" / "MOT16-11"
    truth, found = (
        Trajectories.from_mot(folder / "gt.txt", truth=True),
        Trajectories.from_mot(folder / "published_vglmb.txt"),
    )
    begin = time.process_time()
    score(truth, found)
    assert time.process_time() - begin < 2
