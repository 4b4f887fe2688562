"""How good poses in three dimensions are: average precision, joint errors, and percentage of correct parts."""

from selfmva.metrics.pose.alignment import Similarity, fit_similarity
from selfmva.metrics.pose.score import PoseScores, score
from selfmva.metrics.pose.shelf import as_shelf14

__all__ = ["PoseScores", "Similarity", "as_shelf14", "fit_similarity", "score"]
