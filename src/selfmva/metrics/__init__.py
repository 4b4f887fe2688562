"""How good an association is."""

from selfmva.metrics.association import AssociationScores, PairResult, average_precision, score_pairs
from selfmva.metrics.curves import precision_recall_curve, reliability_curve
from selfmva.metrics.evaluate import evaluate

__all__ = [
    "AssociationScores",
    "PairResult",
    "average_precision",
    "evaluate",
    "precision_recall_curve",
    "reliability_curve",
    "score_pairs",
]
