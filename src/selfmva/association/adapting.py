"""From a model and other boxes of its cameras to the same model, renewed; or why that is not possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.health.changes import DARK, KNOCKED, OTHER_DETECTOR
from selfmva.association.health.check import watch_frames
from selfmva.association.health.wording import sentence
from selfmva.association.learning import learn
from selfmva.association.recording import CanonicalRecording
from selfmva.geometry.calibration import recalibrate_floor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.association.health.diagnosis import Finding
    from selfmva.association.health.health import Problem
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame

# What other boxes of the same cameras may be like. All else has to be put right before, or learnt by fit().
ADAPTABLE = frozenset({KNOCKED, OTHER_DETECTOR, DARK})


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What became of it.

    Attributes:
        model: The renewed model, its views in the order of the old one; the old one where nothing was learnt.
        moved: How far each view's picture of the floor moved, in body heights, by name.
        contradiction: What speaks against the old model, in words; empty where nothing does. Nothing was learnt then.
        repaired: What spoke against it, and was put right; empty where nothing did.
        unsupported: True where the boxes support no model. Nothing was learnt then.
    """

    model: FittedModel
    moved: Mapping[str, float]
    contradiction: str = ""
    repaired: str = ""
    unsupported: bool = False


def adapt_model(old: FittedModel, frames: Sequence[Frame], appearance: str | None) -> Adaptation:
    """Refine the floor and learn anew what distances mean.

    A view that nobody walks through stays what it was. One whose walkers contradict what was known of it does not: it
    is put right where the camera was turned, and else nothing is learnt.

    Args:
        old: What was learnt before.
        frames: Clipped frames of its cameras, in the order of time.
        appearance: Identity of the encoder that their features come from; None where they have none.
    """
    problems: Sequence[Problem] = ()
    turned: dict[int, FloatArray] = {}
    if old.profile is not None:
        watch = watch_frames(old, frames)
        problems, turned = watch.problems, _turned(old, watch.findings)
    if any(problem.kind not in ADAPTABLE for problem in problems):
        return Adaptation(old, {}, sentence([p for p in problems if p.kind not in ADAPTABLE]))
    recording = CanonicalRecording.of(old.views, frames, old.config)
    model, moved, repaired = old, {}, ""
    if old.floor is not None and turned:
        cameras = tuple(turned.get(view, camera) for view, camera in enumerate(old.floor.cameras))
        model = replace(old, floor=replace(old.floor, cameras=cameras))
    model = model.reordered(recording.order)
    if model.floor is not None and model.cameras is None:  # what joints told, or a user gave, stays
        floor, moves = recalibrate_floor(model.floor, recording.frames)
        model = replace(model, floor=floor)
        distances = {move.view: move.distance for move in moves}
        moved = {view.name: distances[view.name] for view in old.views if view.name in distances}
        knocks = [problem for problem in problems if problem.kind == KNOCKED]
        if any(old.views[view].name not in moved for view in turned):
            return Adaptation(old, {}, sentence(knocks))
        repaired = sentence(knocks) if turned else ""
    model = learn(model, recording.frames, appearance, trained_on=False, seek_changes=False)
    report = model.report
    if report is None or not report.better_than_chance or (old.floor is not None and model.floor is None):
        return Adaptation(replace(old, report=report), {}, unsupported=True)
    model = model.reordered(recording.places)
    moved |= {old.views[view].name: _movement(old, model, view, frames) for view in turned}
    return Adaptation(model, moved, repaired=repaired)


def _turned(model: FittedModel, findings: Sequence[Finding]) -> dict[int, FloatArray]:
    """The cameras that were turned, as they are now, by the numbers of their views."""
    result = {}
    for finding in findings:
        if finding.change.kind == KNOCKED and finding.change.camera is not None:
            result[finding.change.views[0]] = np.asarray(finding.change.camera)
    return result if model.floor is not None else {}


def _movement(old: FittedModel, new: FittedModel, view: int, frames: Sequence[Frame]) -> float:
    """Median distance between the old and the new places of the feet of one view, in body heights."""
    assert old.floor is not None  # noqa: S101  # its camera was turned
    assert new.floor is not None  # noqa: S101
    boxes = np.concatenate([frame.boxes[view] for frame in frames])
    feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
    apart = np.hypot(*(old.floor.place(view, feet) - new.floor.place(view, feet)).T) / old.floor.unit
    return float(np.nanmedian(apart)) if np.isfinite(apart).any() else 0.0
