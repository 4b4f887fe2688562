"""The timeline of a report: bars are where people are seen."""

from __future__ import annotations

import re

import numpy as np
import pytest

from selfmva.viz.report.timeline import (
    MOST_COLUMNS,
    MOST_ROWS,
    NAMES_WIDTH,
    RIGHT_MARGIN,
    TIMELINE_WIDTH,
    seen_by,
    timeline_chart,
)


def bars(chart: str) -> np.ndarray:
    """x, y, width and opacity of every bar."""
    pattern = r'<rect class="bar" x="(.*?)" y="(.*?)" width="(.*?)" height="13" fill-opacity="(.*?)"/>'
    return np.array([[float(part) for part in found] for found in re.findall(pattern, chart)])


def test_bars_are_where_people_are_seen() -> None:
    """Person 7 is seen by one view, then by both; person 3 comes, goes and comes back."""
    presence = [[t, 7, 0] for t in range(10)] + [[t, 7, 1] for t in range(5, 10)] + [[t, 3, 1] for t in (2, 3, 8)]
    chart = timeline_chart(presence, range(10), 2, title="Who")
    across = (TIMELINE_WIDTH - NAMES_WIDTH - RIGHT_MARGIN) / 10
    found = bars(chart)
    np.testing.assert_allclose((found[:, 0] - NAMES_WIDTH) / across, [0, 5, 2, 8], atol=0.01)
    np.testing.assert_allclose(found[:, 2] / across, [5, 5, 2, 1], atol=0.01)
    np.testing.assert_allclose(found[:, 3], [0.3, 1, 0.3, 0.3])
    assert len(set(found[:, 1].tolist())) == 2
    assert re.findall(r'text-anchor="end"[^>]*>(\d+)<', chart) == ["7", "3"]


@pytest.mark.parametrize("step", [1, 10])
def test_instants_without_anybody_and_steps(step: int) -> None:
    instants = np.arange(0, 100, step)
    people, seen = seen_by(np.array([[50, 4, 0], [90, 4, 0]]), instants)
    assert people.tolist() == [4]
    np.testing.assert_array_equal(np.flatnonzero(seen[0]), [50 // step, 90 // step])


def test_many_people_and_long_times_are_thinned() -> None:
    instants = np.arange(10_000)
    presence = np.array([[t, t // 100, 0] for t in instants] + [[t, 55, 1] for t in range(5500, 5600)])
    people, seen = seen_by(presence, instants)
    assert seen.shape == (MOST_ROWS, MOST_COLUMNS)
    assert people.tolist() == sorted(people.tolist())
    assert (seen.sum(axis=1) >= 4).all()  # a hundredth of the columns


def test_nobody() -> None:
    people, seen = seen_by(np.zeros((0, 3), np.int64), np.arange(5))
    assert (len(people), seen.shape) == (0, (0, 5))
    assert bars(timeline_chart([], [3], 2, title="Who")).size == 0
