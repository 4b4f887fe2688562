"""Costs, sizes and groups that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from selfmva.errors import InputError
from selfmva.matching import confidence, group, group_frames, solve

COSTS = np.array([[[4.0, 1.0], [2.0, 0.0]]])
ODDS = np.array([[0, 3, 2.0], [3, 0, -1], [2, -1, 0]])
VIEW, IDS = np.array([0, 1, 1]), np.array([0, 0, 1])
FRAMES, COUNT = np.zeros((1, 2, 2, 2, 2)), np.array([[2, 1]])


@pytest.mark.parametrize(
    "changed",
    [
        {"costs": None},
        {"costs": 3.0},
        {"costs": {}},
        {"costs": COSTS + 1j},
        {"costs": COSTS > 1},
        {"costs": np.ma.array(COSTS, mask=COSTS > 3)},
        {"costs": torch.ones((1, 2, 2), dtype=torch.complex64)},
        {"costs": torch.ones((1, 2, 2), dtype=torch.bool)},
        {"rows": "1"},
        {"rows": [1.5]},
        {"rows": [np.nan]},
        {"rows": 1},
        {"columns": [None]},
        {"columns": [True]},
        {"unmatched_cost": "1"},
        {"unmatched_cost": 1j},
        {"unmatched_cost": [1.0]},
        {"backend": None},
        {"backend": ["scipy"]},
        {"threads": "1"},
        {"threads": 1.5},
        {"threads": 10**9},
    ],
    ids=lambda changed: f"{next(iter(changed))}-{type(next(iter(changed.values()))).__name__}",
)
def test_problems(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(changed))} must"):
        solve(**{"costs": COSTS} | changed)


@pytest.mark.parametrize(
    "call",
    [
        lambda: group(None, VIEW),
        lambda: group("x", VIEW),
        lambda: group(ODDS + 1j, VIEW),
        lambda: group(ODDS * np.nan, VIEW),
        lambda: group(ODDS, None),
        lambda: group(ODDS, 3),
        lambda: group(ODDS, [0, 1]),
        lambda: group(ODDS, [0, 1, 1.5]),
        lambda: group(ODDS, VIEW, threshold=None),
        lambda: group(ODDS, VIEW, threshold=np.nan),
        lambda: group(ODDS, VIEW, threshold="0"),
        lambda: group(ODDS, VIEW, solver=["exact"]),
        lambda: group_frames(None, COUNT),
        lambda: group_frames(FRAMES, None),
        lambda: group_frames(FRAMES, [[3, 1]]),
        lambda: group_frames(FRAMES, [[-1, 1]]),
        lambda: group_frames(FRAMES, [[1.5, 1]]),
        lambda: group_frames(FRAMES, COUNT, threshold=np.inf),
        lambda: confidence(ODDS, VIEW, None),
        lambda: confidence(ODDS, VIEW, [0, 0]),
        lambda: confidence(ODDS, VIEW, [0, 0, -1]),
        lambda: confidence(ODDS, VIEW, [0, 0, 0.5]),
    ],
)
def test_groups(call: Any) -> None:
    with pytest.raises(InputError):
        call()


def test_lists_are_arrays_and_numbers_of_groups_are_names() -> None:
    assert group(ODDS.tolist(), VIEW.tolist()).tolist() == group(ODDS, VIEW).tolist()
    expected = confidence(ODDS, VIEW, IDS)
    assert np.array_equal(confidence(ODDS.tolist(), VIEW.tolist(), [7, 7, 10**12]), expected)
    assert np.array_equal(group_frames(FRAMES.tolist(), COUNT.tolist()), group_frames(FRAMES, COUNT))
