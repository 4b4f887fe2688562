"""Small scenes and short trainings, shared by tests."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.associator import Associator
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.errors import LearntNothingWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.association import Association

STEPS = {
    "batch": {"name": "batch", "steps": 12, "instants": 6},
    "published": {"name": "published", "epochs": 1},
}

LEARNABLE = {"views": 2, "people": 3, "instants": 200, "seed": 0}
ENOUGH = {"name": "batch", "steps": 150, "instants": 8}


@cache
def scene(**options: Any) -> Simulated:
    """A recording of a few people, short enough for a test."""
    return Simulated(**{"views": 3, "people": 3, "instants": 60, "seed": 0} | options)


def short(**options: Any) -> Simulated:
    """So short that a training ends before there is enough to look for head lines in, which takes most of a fit.

    For tests of the training alone.
    """
    return scene(**{"instants": 30} | options)


def frames_of(recording: Simulated, split: str = "train") -> list[Frame]:
    return [recording.frame(index) for index in recording.splits[split]]


def fit_quietly(associator: Associator, *args: Any, **options: Any) -> Associator:
    """A training that is too short to learn anything says so; here that is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LearntNothingWarning)
        return associator.fit(*args, **options)


@cache
def fitted_on_a_floor() -> tuple[Associator, Simulated]:
    """An associator that found the floor of a scene in which people walk enough, and the scene; not to be changed."""
    recording = Simulated(views=3, people=5, instants=300, seed=0)
    return Associator(recipe={"name": "batch", "steps": 20}, association={"threshold": 0.3}).fit(recording), recording


@cache
def learnt_embedding() -> tuple[Associator, Simulated]:
    """An associator whose embedding knows something, and its recording; not to be changed.

    A warning is an error here: it must not warn.
    """
    recording = scene(**LEARNABLE)
    return Associator(recipe=ENOUGH).fit(recording), recording


def quick(recipe: str = "batch", **options: Any) -> Associator:
    """An associator that trains for well under a second."""
    return Associator(recipe=STEPS[recipe] | options.pop("recipe_options", {}), **options)


def flat(recipe: str = "batch", **options: Any) -> Associator:
    """The same without a search for the floor, for tests of the training alone."""
    return quick(recipe, geometry={"floor": False}, **options)


def shuffle_boxes(frame: Frame, rng: np.random.Generator) -> tuple[Frame, list[np.ndarray]]:
    """The same boxes in another order, and for each view which box of the old frame the new ones are."""
    orders = [rng.permutation(count) for count in frame.counts]
    return Frame([boxes[order] for boxes, order in zip(frame.boxes, orders, strict=True)], frame.index), orders


def reorder_cameras(frame: Frame, order: Sequence[int]) -> Frame:
    return Frame([frame.boxes[view] for view in order], frame.index)


def partition(association: Association) -> set[frozenset[tuple[str, tuple[float, ...]]]]:
    """The groups by names of views and corners of boxes: free of all numbers and orders."""
    return {
        frozenset(
            (association.views[view].name, tuple(association.frame.boxes[view][box].tolist()))
            for view, box in person.items()
        )
        for person in association.groups()
    }
