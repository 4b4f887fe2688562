"""What people look like, as evidence: learnt without labels."""

from selfmva.association.appearance.densities import AppearanceModel, Limits, as_table
from selfmva.association.appearance.learning import NOTHING_SEEN, OwnViews, Verdict, learn_appearance
from selfmva.association.appearance.pair_distances import PairEvidence, stack_blocks

__all__ = [
    "NOTHING_SEEN",
    "AppearanceModel",
    "Limits",
    "OwnViews",
    "PairEvidence",
    "Verdict",
    "as_table",
    "learn_appearance",
    "stack_blocks",
]
