"""Assignment problems and groups; of use on its own, with any costs and any log-odds."""

from selfmva.matching.assignment import Assignment, solve
from selfmva.matching.multiview import group

__all__ = ["Assignment", "group", "solve"]
