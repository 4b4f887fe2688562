"""Ids that are no tracks are known, those of labels and trackers are used, with a rare duplicate or a switch, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva import Associator, Frame
from selfmva.datasets import load_dataset
from selfmva.datasets.simulated import Simulated
from selfmva.errors import TrackIdsWarning
from selfmva.geometry.calibration import sightings_of_recording
from selfmva.geometry.track_ids import find_useless_ids, without_ids_of

if TYPE_CHECKING:
    from pathlib import Path


Filler = Callable[[np.random.Generator, int, int], Any]  # of a source of random numbers, a first number and a count

JUNK: dict[str, tuple[Filler, str]] = {
    "0 for all": (lambda _, __, n: np.zeros(n), "of the boxes share one with another box of their image (id 0)"),
    "1 for all": (lambda _, __, n: np.ones(n), "of the boxes share one with another box of their image (id 1)"),
    "number of the row": (lambda _, __, n: np.arange(n), "numbers of rows"),
    "number of the row, from 1": (lambda _, __, n: np.arange(1, n + 1), "numbers of rows"),
    "number of the row, shuffled": (lambda rng, _, n: rng.permutation(n), "numbers of rows"),
    "number of the line of the file": (lambda _, first, n: np.arange(first, first + n), "0% of them are still there"),
    "a class of ten": (lambda rng, _, n: rng.integers(0, 10, n), "share one with another"),
    "random": (lambda rng, _, n: rng.integers(0, 10**6, n), "still there"),
    "shuffled tracks": (lambda rng, _, n: 7 * rng.permutation(n), "no nearer to each other"),
}


@cache
def labelled(seed: int = 0, people: int = 6) -> tuple[Frame, ...]:
    scene = Simulated(views=3, people=people, instants=300, seed=seed)
    return tuple(replace(scene.frame(t), track_ids=scene.identities(t)) for t in range(300))


def with_ids(name: str, views: tuple[int, ...] = (0, 1, 2)) -> list[Frame]:
    filler, rng, first, result = JUNK[name][0], np.random.default_rng(0), 0, []
    for frame in labelled():
        ids = list(frame.track_ids or ())
        for view in views:
            ids[view] = filler(rng, first, frame.counts[view]).astype(np.int64)
            first += frame.counts[view]
        result.append(replace(frame, track_ids=tuple(ids)))
    return result


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_known_in_all_views(name: str) -> None:
    found = find_useless_ids(with_ids(name), 3)
    assert set(found) == {0, 1, 2}
    assert all(JUNK[name][1] in text for text in found.values())


@pytest.mark.parametrize("name", ["1 for all", "number of the line of the file"])
def test_the_ids_of_other_views_stay(name: str) -> None:
    frames = with_ids(name, views=(1,))
    assert set(find_useless_ids(frames, 3)) == {1}
    kept = without_ids_of(frames, {1})
    assert all((frame.track_ids[1] == -1).all() for frame in kept if frame.track_ids)
    np.testing.assert_array_equal(kept[9].track_ids[0], frames[9].track_ids[0])  # type: ignore[index]


@pytest.mark.parametrize("every", [1, 5, 20])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("people", [1, 6])
def test_labels_are_tracks(people: int, seed: int, every: int) -> None:
    assert find_useless_ids(labelled(seed, people)[::every], 3) == {}


def test_a_tracker_that_errs_is_still_used() -> None:
    """One box in a hundred has the id of another one of its image, one step in twenty starts a new track."""
    rng = np.random.default_rng(5)
    frames, shift = [], 0
    for frame in labelled():
        shift += 100 * int(rng.random() < 0.05)
        ids = [own + shift for own in frame.track_ids or ()]
        for own in ids:
            if len(own) > 1 and rng.random() < 0.02:
                own[1] = own[0]
        frames.append(replace(frame, track_ids=tuple(ids)))
    assert find_useless_ids(frames, 3) == {}


def test_duplicates_of_an_instant_are_apart_there_alone() -> None:
    frames = list(labelled())
    ids = [own.copy() for own in frames[40].track_ids or ()]
    view = next(v for v, own in enumerate(ids) if len(own) > 1)
    ids[view][1] = ids[view][0]
    scene = Simulated(views=3, people=6, instants=300, seed=0)
    sightings = sightings_of_recording(
        scene.views, [*frames[:40], replace(frames[40], track_ids=tuple(ids)), *frames[41:]]
    )
    plain = sightings_of_recording(scene.views, frames)
    one, other = sightings[view].tracks, plain[view].tracks
    at = sightings[view].instant == 40
    sizes = np.bincount(one)
    assert (sizes[one[at]] == 1).sum() >= 2  # those two follow nobody
    partners = {(a, b) for a, b in zip(one[~at].tolist(), other[~at].tolist(), strict=True)}
    assert len(partners) == len({a for a, _ in partners}) == len({b for _, b in partners})  # all others as before


def test_fit_ignores_them_with_a_warning_and_learns_the_same() -> None:
    scene = Simulated(views=3, people=6, instants=300, seed=0)
    plain = Associator(recipe="geometry").fit(scene.views, [Frame(f.boxes, f.index) for f in labelled()])
    with pytest.warns(TrackIdsWarning, match="ignored.*in 'camera0', 'camera1', 'camera2', whoever leaves"):
        fitted = Associator(recipe="geometry").fit(scene.views, with_ids("number of the row"))
    for t in range(0, 300, 30):
        one, other = (a.associate(labelled()[t].boxes) for a in (plain, fitted))
        assert [ids.tolist() for ids in one.ids] == [ids.tolist() for ids in other.ids]
    with pytest.warns(TrackIdsWarning):
        fitted.adapt(with_ids("1 for all"))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "folder", "options"),
    [
        ("wildtrack", "wildtrack", {}),
        ("mvor", "mvor", {}),
        *(("mvmhat", "epfl", {"scene": scene, "stride": 10}) for scene in ("10", "11", "12", "13")),
        *(("mvmhat", "epfl", {"scene": scene, "stride": 100}) for scene in ("10", "11", "12", "13")),
    ],
)
def test_real_labels_are_tracks(name: str, folder: str, options: dict[str, Any], data_root: Path) -> None:
    data = load_dataset(name, data_root / folder, **options)
    labelled_ones = [k for k in range(len(data)) if any((ids >= 0).any() for ids in data.identities(k))]  # type: ignore[attr-defined]
    frames = [replace(data.frame(k), track_ids=data.identities(k)) for k in labelled_ones]  # type: ignore[attr-defined]
    assert find_useless_ids(frames, len(data.views)) == {}
