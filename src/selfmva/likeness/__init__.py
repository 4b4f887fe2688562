"""What people look like, as evidence: learnt without labels."""

from selfmva.likeness.densities import Likeness, Limits, as_table
from selfmva.likeness.evidence import PairEvidence, stack_blocks
from selfmva.likeness.learning import NOTHING_SEEN, OwnViews, Verdict, learn_likeness

__all__ = [
    "NOTHING_SEEN",
    "Likeness",
    "Limits",
    "OwnViews",
    "PairEvidence",
    "Verdict",
    "as_table",
    "learn_likeness",
    "stack_blocks",
]
