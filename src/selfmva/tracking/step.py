"""One step of the tracker: the people known so far are one more view of the instant.

Whoever is known is a node of a view of its own, linked to each box by the log-odds of motion. Boxes are then grouped as
at every instant (see `selfmva.matching.grouping.edge_groups`): a box that grouping alone missed still joins its person,
and one that was grouped wrongly leaves. Two people known, or two boxes of a view, never share a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.grouping.edge_groups import group_edges
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.edges import Edges
from selfmva.tracking.people import People, follow, log_odds

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.tracking.instants import Instant
    from selfmva.tracking.motion import MotionModel

# Boxes of one person share their errors of motion: k of them tell as much as the root of k independent ones.
SHARED = 0.5


@dataclass(frozen=True, eq=False)
class Step:
    """Result of a step.

    Attributes:
        people: Everybody known after it.
        ids: `(M,)` id of the person in each box.
        gaps: `(K,)` instants since they were last seen, of all people who are seen again.
        born: Number of people who are new.
        log_odds: `(M,)` of motion, that the box is of its person; 0 of new people.
    """

    people: People
    ids: IntArray
    gaps: IntArray
    born: int
    log_odds: FloatArray


def step(people: People, instant: Instant, now: int, next_id: int, model: MotionModel, threshold: float = 0.0) -> Step:
    """Find out who is who at one instant, and follow them.

    Args:
        people: Everybody known before.
        instant: What is seen now.
        now: Its time, in the direction in which people are followed: negative indices to go back in time.
        next_id: Id of the next person who is new.
        model: How people move.
        threshold: Log-odds that count as nothing between two boxes, see `selfmva.matching.grouping.groups.group`.
    """
    size = len(people)
    person, motion, group = np.full(len(instant.boxes), -1), np.zeros((size, len(instant.boxes))), instant.group
    if size and len(instant.boxes):
        motion = log_odds(people, instant, now, model)
        share = np.sqrt(instant.group_size) if SHARED == 0.5 else instant.group_size**SHARED
        prior = model.returns.log_odds(people.unseen + 1)[:, None] / instant.group_size
        motion = np.clip(motion / share + prior, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
        known, box = np.nonzero(motion > -LARGEST_LOG_ODDS)
        edges = Edges(
            np.concatenate([known, size + instant.first]),
            np.concatenate([size + box, size + instant.second]),
            np.concatenate([[size], instant.count])[None],
        )
        links = np.concatenate([motion[known, box], instant.posterior - threshold])
        found = group_edges(links, edges, -LARGEST_LOG_ODDS, 0.0)
        row = np.full(found.max(initial=-1) + 1, -1)
        row[found[:size]] = np.arange(size)
        group = found[size:]
        person = row[group]
    new = person < 0
    numbers, own = np.unique(group[new], return_inverse=True)
    person[new] = size + own
    gaps = people.unseen[np.unique(person[~new])] + 1
    everybody = people.joined(People.new(next_id + np.arange(len(numbers)), now, len(instant.count)))
    told = np.zeros(len(person))
    told[~new] = motion[person[~new], np.flatnonzero(~new)]
    everybody = follow(everybody, instant, now, person, model)
    ids = everybody.ids[person]
    return Step(everybody[everybody.unseen < model.returns.memory], ids, gaps, len(numbers), told)
