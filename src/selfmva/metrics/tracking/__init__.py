"""How good identities are over a whole recording: `score` says it for each view, all views as one, and the floor."""

from selfmva.metrics.tracking.clear import ClearScore, clear
from selfmva.metrics.tracking.hota import HotaCurves, hota
from selfmva.metrics.tracking.identity import IdentityScore, identity
from selfmva.metrics.tracking.mvmhat import MvmhatScore
from selfmva.metrics.tracking.pairs import PairScore
from selfmva.metrics.tracking.score import score
from selfmva.metrics.tracking.scores import TrackingScore, TrackingScores
from selfmva.metrics.tracking.trajectories import Trajectories

__all__ = [
    "ClearScore",
    "HotaCurves",
    "IdentityScore",
    "MvmhatScore",
    "PairScore",
    "TrackingScore",
    "TrackingScores",
    "Trajectories",
    "clear",
    "hota",
    "identity",
    "score",
]
