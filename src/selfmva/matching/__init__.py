"""Assignment problems and groups; of use on its own, with any costs and any log-odds."""

from selfmva.matching.assignment import Assignment, solve
from selfmva.matching.grouping.groups import confidence, group, group_frames

__all__ = ["Assignment", "confidence", "group", "group_frames", "solve"]
