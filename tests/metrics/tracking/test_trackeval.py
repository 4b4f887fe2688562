"""Scores equal TrackEval's: stored ones always, and on any sequence where it is installed."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import made_tracks
from trackeval_oracle import NAMES, STORED, oracle

from selfmva.metrics.tracking import TrackingScore, Trajectories, score

CASES: list[dict[str, Any]] = json.loads(STORED.read_text(encoding="utf-8"))
TOLERANCE = 1e-9


def assert_equal(scores: TrackingScore | None, expected: dict[str, float]) -> None:
    """Equal scores; where nothing defines one, ours is NaN and TrackEval's 0."""
    assert scores is not None
    found = {name: getattr(scores, name) for name in NAMES}
    found = {name: 0.0 if math.isnan(value) else value for name, value in found.items()}
    assert found == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("case", CASES, ids=[str(case["case"]["seed"]) for case in CASES])
def test_stored_scores(case: dict[str, Any]) -> None:
    truth, found = made_tracks(**case["case"])
    instants = sorted({*truth["frame"], *found["frame"]})
    scores = score(truth, found, floor_distance=0.3, instants=instants)
    assert_equal(scores.union, case["union"])
    assert_equal(scores.floor, case["floor"])


def test_views_are_scored_as_recordings_of_their_own() -> None:
    truth, found = made_tracks(4, views=3)
    scores = score(truth, found, instants=range(20))
    for view, part in enumerate(scores.views):
        alone = score(*(table[table["view"] == view].assign(view=0) for table in (truth, found)), instants=range(20))
        assert part.to_dict() == pytest.approx(alone.views[0].to_dict(), nan_ok=True)
        assert alone.union is not None
        assert part.to_dict() == pytest.approx(alone.union.to_dict(), nan_ok=True)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 9), st.integers(1, 12), st.sampled_from([30, 80, 200]))
@settings(max_examples=int(os.environ.get("TRACKEVAL_EXAMPLES", "60")))
def test_any_sequence(seed: int, views: int, people: int, instants: int, spread: int) -> None:
    pytest.importorskip("trackeval", reason="`nox -s trackeval` installs it, and runs this")
    truth, found = made_tracks(seed, views=views, people=people, instants=instants, spread=spread)
    if truth.empty:
        return
    found = found if len(found) else pd.DataFrame(columns=truth.columns)
    tracks = (Trajectories.from_table(table, views) for table in (truth, found))
    scores = score(*tracks, floor_distance=0.3, instants=range(instants))
    assert_equal(scores.union, oracle(truth, found))
    assert_equal(scores.floor, oracle(truth, found, 0.3))
