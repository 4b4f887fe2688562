"""A view that may hang upside down is read as the floor of the others says."""

from __future__ import annotations

from functools import cache

import pytest
from floor_scenes import flip, frames_of, sight, walkers

from selfmva.core.config import GeometryConfig
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.geometry import sightings
from selfmva.geometry.calibration import calibrate, sighting_of_view
from selfmva.geometry.floor_search import find_floor
from selfmva.geometry.orientation import settle_orientations


@cache
def scene() -> Simulated:
    return walkers(instants=120)


def frames(over: bool) -> list[Frame]:
    """The scene, where view 2 hangs upside down or not."""
    return flip(scene(), frames_of(scene()), 2, across=True, over=True) if over else frames_of(scene())


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("read_turned", [False, True])
def test_the_floor_decides(over: bool, read_turned: bool) -> None:
    """Whatever the reading that it began with."""
    seen = sight(scene(), frames(over))
    first, other = (
        sighting_of_view(scene().views[2], 2, frames(over), turned=turned) for turned in (read_turned, not read_turned)
    )
    views = [*seen[:2], first, *seen[3:]]
    layout = find_floor(views)
    assert layout is not None
    kept, settled = settle_orientations(views, {2: [other]}, layout)
    assert kept[2] is (first if read_turned == over else other)
    assert set(settled.cameras) == set(range(len(views)))
    assert all(support.trusted for support in settled.supports.values())


def test_a_recording_whose_heights_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they spoke weakly for upright everywhere."""
    monkeypatch.setattr(sightings, "_doubt_of_upright", lambda *_: -1.0)
    found = calibrate(scene().views, frames(over=True), GeometryConfig())
    assert found.floor is not None
    assert found.floor.views_upside_down == (2,)
    assert all(support.trusted for support in found.floor.supports.values())


def test_a_view_alone_stays_as_it_is() -> None:
    views = sight(scene(), frames(over=False))
    layout = find_floor(views)
    assert layout is not None
    alone = type(layout)({2: layout.cameras[2]}, {})
    kept, settled = settle_orientations(views, {2: [views[2]]}, alone)
    assert kept == views
    assert settled is alone
