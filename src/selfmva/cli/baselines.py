"""What the demo compares with: chance, and cameras whose calibration is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selfmva.association.associator import Associator
    from selfmva.core.types import FloatArray
    from selfmva.datasets.simulated import Simulated
    from selfmva.metrics import AssociationScores, PairResult

REACH_METRES = 1.0  # cut feet and jitter move a box by less than this mostly; 0.75 and 1.5 score about the same


def score_chance(associator: Associator, scene: Simulated, *, seed: int) -> AssociationScores:
    """Score answers that know how many people there are, but not who: identities are shuffled in every view.

    Args:
        associator: A fitted one.
        scene: Its test split is scored.
        seed: Of the shuffling.

    Returns:
        The scores under the calibrated protocol.
    """
    from selfmva.metrics import evaluate

    rng = np.random.default_rng(seed)
    shuffled = [
        (scene.frame(index), [rng.permutation(identities) for identities in scene.identities(index)])
        for index in scene.splits["test"]
    ]
    return evaluate(associator, shuffled)


def score_known_calibration(scene: Simulated) -> AssociationScores:
    """Score what calibrated cameras allow: boxes whose feet are near each other on the floor are one person.

    Args:
        scene: Its true homographies are used; its test split is scored.

    Returns:
        The scores; the calibration error is NaN, since distances are no probabilities.
    """
    from selfmva.metrics import score_pairs

    return replace(score_pairs(_pairs(scene)), calibration_error=float("nan"))


def feet_on_floor(boxes: FloatArray, homography: FloatArray) -> FloatArray:
    """Where the middles of the lower edges of boxes are on the floor.

    Args:
        boxes: `(N, 4)` xyxy in pixels.
        homography: `(3, 3)` from metres on the floor to pixels.

    Returns:
        `(N, 2)` metres.

    Example:
        >>> feet_on_floor(np.array([[10.0, 0.0, 30.0, 50.0]]), np.diag([10.0, 10.0, 1.0]))
        array([[2., 5.]])
    """
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3], np.ones(len(boxes))])
    floor = np.linalg.solve(homography, feet)
    return np.asarray((floor[:2] / floor[2]).T)


def _pairs(scene: Simulated) -> Iterator[PairResult]:
    from selfmva.core.view_pairs import view_pairs
    from selfmva.matching.assignment import solve
    from selfmva.metrics import PairResult

    for index in scene.splits["test"]:
        boxes, identities = scene.frame(index).boxes, scene.identities(index)
        places = [feet_on_floor(array, scene.homographies[view]) for view, array in enumerate(boxes)]
        for i, j in view_pairs(len(boxes)):
            if len(boxes[i]) and len(boxes[j]):
                distances = np.linalg.norm(places[i][:, None] - places[j][None, :], axis=2)
                matches = solve(distances, unmatched_cost=REACH_METRES).matches(0)
                yield PairResult(-distances, matches, identities[i], identities[j])
