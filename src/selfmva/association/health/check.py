"""`check`: the watch over a recording, its end looked at as closely as it can be, and what bodies measure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from selfmva.association.health.close_look import measure_bodies
from selfmva.association.health.health import Health
from selfmva.association.health.measure import MEASURE, measure
from selfmva.association.health.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.association.model import FittedModel
    from selfmva.core.types import Frame

NO_PROFILE = (
    "nothing is known of what fit() saw: this model was saved before that was kept, or converted; fit() anew, or "
    "adapt() to a minute of boxes that are right, and save it again"
)


def check_frames(model: FittedModel, frames: Iterable[Frame]) -> Health:
    """Whether frames fit what was learnt.

    Args:
        model: What was learnt.
        frames: Clipped frames in the order of time; not kept.
    """
    if model.profile is None:
        return Health(unknown=tuple(view.name for view in model.views), note=NO_PROFILE)
    kept: deque[Frame] = deque(maxlen=MEASURE.closely)

    def seen() -> Iterator[Frame]:
        for frame in frames:
            kept.append(frame)
            yield frame

    health = watch_frames(model, seen()).health()
    apart, height = measure_bodies(model, list(kept))
    rows = [
        replace(row, apart=float(a), usual_apart=float(usual), height=float(h), usual_height=float(tall))
        for row, a, usual, h, tall in zip(
            health.views, apart, model.profile.apart, height, model.profile.height, strict=True
        )
    ]
    return replace(health, views=tuple(rows))


def watch_frames(model: FittedModel, frames: Iterable[Frame]) -> Watch:
    """A watch that has seen frames to their end.

    Args:
        model: What was learnt, its profile among it.
        frames: Clipped frames in the order of time.
    """
    watch, rest = Watch(model), iter(frames)
    while part := list(islice(rest, MEASURE.chunk)):
        watch.add(part, measure(model, part))
    watch.look()
    return watch
