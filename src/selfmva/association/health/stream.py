"""A stream of associations with a watch over it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from selfmva.association.health.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.association.association import Association
    from selfmva.association.health.health import Problem
    from selfmva.association.health.tally import Tally
    from selfmva.association.health.watch import Watch
    from selfmva.core.types import Frame

logger: logging.Logger = logging.getLogger(__name__)


def watched(
    parts: Iterable[tuple[list[Association], list[Frame], Tally | None]], watch: Watch
) -> Iterator[Association]:
    """Associations one by one, with what the watch has noticed by then; it is logged once for each stretch.

    Args:
        parts: Chunks of the stream: answers, frames without bad boxes, and what these show.
        watch: What notices it.
    """
    known: tuple[Problem, ...] = ()
    for associations, frames, tally in parts:
        if tally is not None:
            known += _told(watch.add(frames, tally))
        yield from (replace(found, problems=known) for found in associations) if known else associations
    _told(watch.look())


def _told(problems: list[Problem]) -> tuple[Problem, ...]:
    """The same, after a line in the log."""
    if problems:
        logger.warning("%s", sentence(problems))
    return tuple(problems)
