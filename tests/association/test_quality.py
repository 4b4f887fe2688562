"""What the default recipe reaches on a real recording, without a label: minutes, so it is not run by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selfmva import Associator, evaluate
from selfmva.datasets.mvor import Mvor

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def recording(data_root: Path) -> Mvor:
    return Mvor(data_root / "mvor")


@pytest.fixture(scope="module")
def associator(recording: Mvor) -> Associator:
    return Associator(seed=0).fit(recording)


def test_the_embedding_is_as_good_as_the_published_one(associator: Associator, recording: Mvor) -> None:
    """The published code reaches .794 there."""
    assert evaluate(associator, recording, split="unseen", protocol="self-mva").average_precision >= 0.78


def test_probabilities_rank_better_and_are_honest(associator: Associator, recording: Mvor) -> None:
    """On instants that no detection was trained on."""
    scores = evaluate(associator, recording, split="unseen", protocol="calibrated")
    assert scores.average_precision >= 0.94
    assert scores.f1 >= 0.85
    assert scores.calibration_error <= 0.08
    assert associator.fit_report_.better_than_chance
