"""Scores of poses: average precision and recall at distances, MPJPE, PCK, and PCP with its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.errors import InputError
from selfmva.metrics.pose.alignment import Similarity, find_similarity, mean_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from selfmva.core.types import FloatArray
    from selfmva.pose.poses import Poses3D

Alignment = Literal["none", "similarity"]
PARTS = (  # by names of joints; a torso is from the middle of the hips to the bottom of the head, or to the neck
    ("lower legs", (("left_knee", "left_ankle"), ("right_knee", "right_ankle"))),
    ("upper legs", (("left_hip", "left_knee"), ("right_hip", "right_knee"))),
    ("lower arms", (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"))),
    ("upper arms", (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"))),
    ("head", (("head_bottom", "head_top"), ("neck", "nose"))),
    ("torso", (("mid_hip", "head_bottom"), ("mid_hip", "neck"))),
)
CORRECT = 0.5  # of the length of a part, by which its ends may miss on average


@dataclass(frozen=True)
class PoseScores:
    """How good poses are; distances are in the unit of the truth.

    Attributes:
        average_precision: By distance: area under precision and recall, people taken in the order of their scores; a person
            is right where the mean error of their joints is less than the distance, and nobody took them before.
        recall: By distance: fraction of true people whom somebody found is near.
        mpjpe: Mean error of the joints of people who are found at the largest distance.
        median_error: Median error of these joints.
        pck: By distance: fraction of true joints that the nearest person has so near; a joint that is not found is not.
        pcp: Percentage of correct parts, as a fraction, mean over the people of the truth.
        pcp_of_people: By person, and by part and `"all"`.
        alignment: `"none"`, `"similarity"`, or `"given"`.
        people: Number of people of the truth, over all instants.
        found: Number of people that were found.
    """

    average_precision: Mapping[float, float]
    recall: Mapping[float, float]
    mpjpe: float
    median_error: float
    pck: Mapping[float, float]
    pcp: float
    pcp_of_people: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    alignment: str = "none"
    people: int = 0
    found: int = 0

    def to_dataframe(self) -> pd.DataFrame:
        """PCP, one row a person of the truth, one column a part."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.pcp_of_people, orient="index")


def score(
    truth: Sequence[Poses3D],
    found: Sequence[Poses3D],
    *,
    alignment: Alignment | Similarity = "none",
    distances: Sequence[float] = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15),
    farthest: float = 0.5,
    people: Sequence[int] | None = None,
) -> PoseScores:
    """Compare poses with the truth.

    Args:
        truth: The people of every instant, their ids those of the people; joints that are not known NaN.
        found: Of the same instants, in the same order; converted to the joints of the truth where they have others.
        alignment: `"none"`; `"similarity"` for one turn, shift and scale of the whole recording; or a `Similarity`.
        distances: For average precision, recall and PCK, in the unit of the truth.
        farthest: From where on a person is not found at all.
        people: Over whom PCP is averaged; None: everybody. Shelf's and Campus' own is of the first three.

    Returns:
        The scores.

    Raises:
        InputError: Another number of instants, or truth and poses that don't say which joints they are.

    Example:
        >>> from selfmva.core.skeletons import Skeleton
        >>> from selfmva.pose import Poses3D
        >>> stick = Skeleton("stick", ("left_knee", "left_ankle"))
        >>> legs = np.array([[[0, 0, 0.5], [0, 0, 0.1]]])
        >>> true = Poses3D(legs, np.ones((1, 2)), np.array([3]), skeleton=stick)
        >>> near = Poses3D(legs + [0.03, 0, 0], np.ones((1, 2)), np.array([0]), skeleton=stick)
        >>> found = score([true], [near])
        >>> round(found.mpjpe, 6), found.average_precision[0.025], found.average_precision[0.05], found.pcp
        (0.03, 0.0, 1.0, 1.0)
    """
    if len(truth) != len(found):
        raise InputError(f"truth has {len(truth)} instants, what was found {len(found)}: give the same ones")
    found = [_as(one, other) for one, other in zip(found, truth, strict=True)]
    laid, name = _laid(truth, found, alignment, farthest)
    errors = [_errors(true, one) for true, one in zip(truth, laid, strict=True)]
    best = [one.argmin(axis=1) if one.size else np.zeros(len(one), np.int64) for one in map(mean_errors, errors)]
    own = [away[np.arange(len(away)), row] for away, row in zip(errors, best, strict=True) if away.size]
    joints = np.concatenate([np.zeros(0), *(one[mean_errors(one) < farthest].reshape(-1) for one in own)])
    joints = joints[np.isfinite(joints)]
    parts = _parts(truth, laid, best)
    chosen = parts if people is None else {who: parts[who] for who in people if who in parts}
    return PoseScores(
        {float(tau): _average_precision(found, errors, tau) for tau in distances},
        {float(tau): _recall(errors, tau) for tau in (*distances, farthest)},
        float(joints.mean()) if len(joints) else float("nan"),
        float(np.median(joints)) if len(joints) else float("nan"),
        {float(tau): _correct_joints(truth, own, tau) for tau in distances},
        float(np.mean([part["all"] for part in chosen.values()])) if chosen else float("nan"),
        parts,
        name,
        sum(map(len, truth)),
        sum(map(len, found)),
    )


def _as(poses: Poses3D, truth: Poses3D) -> Poses3D:
    if truth.skeleton is None or poses.skeleton is None or poses.skeleton == truth.skeleton:
        if poses.joints.shape[1] != truth.joints.shape[1] and len(poses) and len(truth):
            raise InputError(
                f"instant {poses.index}: poses have {poses.joints.shape[1]} joints, the truth {truth.joints.shape[1]}: "
                "say which skeletons they are"
            )
        return poses
    return poses.converted(truth.skeleton)


def _laid(
    truth: Sequence[Poses3D], found: Sequence[Poses3D], alignment: Alignment | Similarity, farthest: float
) -> tuple[list[FloatArray], str]:
    """Joints `(P, K, 3)` of every instant in the world of the truth, and how they came there."""
    if isinstance(alignment, Similarity):
        return [alignment(one.joints) for one in found], "given"
    if not is_one_of(alignment, ("none", "similarity")):
        raise InputError(f"alignment must be 'none', 'similarity' or a Similarity, got {shown(alignment)}")
    if alignment == "none":
        return [one.joints for one in found], alignment
    laid = find_similarity(truth, found, farthest / 2)
    return [laid(one.joints) for one in found], alignment


def _errors(truth: Poses3D, joints: FloatArray) -> FloatArray:
    """`(G, P, K)` distances of the joints of everybody of the truth from those of everybody found; NaN where not known."""
    if not len(truth) or not len(joints):
        return np.zeros((len(truth), len(joints), truth.joints.shape[1]))
    return np.asarray(np.linalg.norm(truth.joints[:, None] - joints[None], axis=-1))


def _average_precision(found: Sequence[Poses3D], errors: Sequence[FloatArray], distance: float) -> float:
    """All-point average precision; see SelfPose3d and VoxelPose."""
    rows = []
    for instant, (poses, away) in enumerate(zip(found, errors, strict=True)):
        error = mean_errors(away)
        for number in range(len(poses)):
            sure = float(poses.scores[number].mean())
            if len(error):
                person = int(error[:, number].argmin())
                rows.append((-sure, instant, person, float(error[person, number])))
            else:
                rows.append((-sure, instant, -1, np.inf))
    everybody = sum(map(len, errors))
    if not everybody:
        return float("nan")
    taken: set[tuple[int, int]] = set()
    right = np.zeros(len(rows))
    for k, (_, instant, person, error) in enumerate(sorted(rows)):
        if error < distance and (instant, person) not in taken:
            taken.add((instant, person))
            right[k] = 1.0
    recall = np.cumsum(right) / everybody
    precision = np.cumsum(right) / np.arange(1, len(rows) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(np.concatenate([[0.0], recall])) * precision).sum())


def _recall(errors: Sequence[FloatArray], distance: float) -> float:
    hits = [mean_errors(away).min(axis=1, initial=np.inf) < distance for away in errors]
    everybody = sum(map(len, hits))
    return float(sum(hit.sum() for hit in hits) / everybody) if everybody else float("nan")


def _correct_joints(truth: Sequence[Poses3D], own: Sequence[FloatArray], distance: float) -> float:
    known = sum(int(np.isfinite(poses.joints).all(axis=-1).sum()) for poses in truth)
    near = sum(int((np.nan_to_num(away, nan=np.inf) < distance).sum()) for away in own)
    return near / known if known else float("nan")


def _parts(
    truth: Sequence[Poses3D], laid: Sequence[FloatArray], best: Sequence[np.ndarray]
) -> dict[int, dict[str, float]]:
    """By person, the fraction of each part that is correct, and of all parts."""
    tallies: dict[int, dict[str, list[bool]]] = {}
    for true, joints, rows in zip(truth, laid, best, strict=True):
        for number, person in enumerate(true.ids.tolist()):
            nearest = joints[rows[number]] if len(joints) else np.full(true.joints.shape[1:], np.nan)
            tally = tallies.setdefault(person, {})
            for part, ends in PARTS:
                tally.setdefault(part, []).extend(_correct_ends(true, number, nearest, ends))
    return {
        person: {part: float(np.mean(said)) for part, said in tally.items() if said}
        | {"all": float(np.mean([one for said in tally.values() for one in said]))}
        for person, tally in sorted(tallies.items())
        if any(tally.values())
    }


def _correct_ends(
    true: Poses3D, number: int, nearest: FloatArray, ends: Sequence[tuple[str, str]]
) -> list[bool]:
    """Whether the limbs of a part of one person are correct; only one of a head and of a torso is asked."""
    names = () if true.skeleton is None else true.skeleton.joints
    found = []
    for start, end in ends:
        one, other = _end(true.joints[number], names, start), _end(true.joints[number], names, end)
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            continue
        away = np.linalg.norm(_end(nearest, names, start) - one) + np.linalg.norm(_end(nearest, names, end) - other)
        found.append(bool(away / 2 <= CORRECT * np.linalg.norm(one - other)))
        if not start.startswith(("left", "right")):
            break
    return found


def _end(joints: FloatArray, names: Sequence[str], joint: str) -> FloatArray:
    """`(3,)` a joint of one person; NaN where the skeleton has none."""
    if joint in names:
        return np.asarray(joints[names.index(joint)])
    if joint == "mid_hip" and {"left_hip", "right_hip"} <= set(names):
        return np.asarray((joints[names.index("left_hip")] + joints[names.index("right_hip")]) / 2)
    return np.full(3, np.nan)
