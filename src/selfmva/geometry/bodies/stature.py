"""How tall people are, from the lengths of their limbs; and how high above the floor their joints are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray, IntArray

# Lengths of limbs, and heights of joints of who stands, as fractions of stature (Drillis and Contini, "Body segment
# parameters", 1966; Winter, "Biomechanics and motor control of human movement", figure 4.1).
LIMB_FRACTIONS = {
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("shoulder", "hip"): 0.288,
}
STANDING = {"ankle": 0.039, "knee": 0.285, "hip": 0.530, "shoulder": 0.818}
SIDES = ("left", "right")


def statures(joints: FloatArray, person: IntArray, skeleton: Skeleton) -> FloatArray:
    """Heights of people by their limbs: of every limb the median over time, of all limbs the median.

    Args:
        joints: `(P, K, 3)` bodies in space, in any unit; NaN where a joint is not known.
        person: `(P,)` number of the person that each one is.
        skeleton: Of the joints.

    Returns:
        One height a person, in the unit of the joints; NaN where no limb is known.
    """
    people = int(person.max(initial=-1)) + 1
    lengths = []
    for (start, end), fraction in LIMB_FRACTIONS.items():
        for side in SIDES:
            names = f"{side}_{start}", f"{side}_{end}"
            if set(names) <= set(skeleton.joints):
                one, other = (skeleton.joints.index(name) for name in names)
                lengths.append(np.linalg.norm(joints[:, one] - joints[:, other], axis=1) / fraction)
    if not lengths or not people:
        return np.full(people, np.nan)
    table = np.stack(lengths, axis=1)
    return np.array(
        [_median(np.array([_median(limb) for limb in table[person == number].T])) for number in range(people)]
    )


def rigidity(joints: FloatArray, person: IntArray, skeleton: Skeleton) -> float:
    """How much the limbs of people seem to change their lengths, and left ones to differ from right ones.

    Under cameras with wrong focal lengths, bodies swell and shrink as they move and turn.

    Args:
        joints: `(P, K, 3)` bodies in space.
        person: `(P,)` number of the person that each one is.
        skeleton: Of the joints.

    Returns:
        Mean over people and limbs of the median relative deviation, 0 for rigid bodies; infinity without any.
    """
    found = []
    for start, end in LIMB_FRACTIONS:
        starts, ends = joint_names(start), joint_names(end)
        if not {*starts, *ends} <= set(skeleton.joints):
            continue
        both = [
            np.log(np.linalg.norm(joints[:, skeleton.index(one)] - joints[:, skeleton.index(other)], axis=1))
            for one, other in zip(starts, ends, strict=True)
        ]
        for number in np.unique(person):
            lengths = np.stack([limb[person == number] for limb in both])
            lengths = lengths[np.isfinite(lengths)]
            if len(lengths):
                found.append(float(np.median(np.abs(lengths - np.median(lengths)))))
    return float(np.mean(found)) if found else float("inf")


def joint_names(joint: str) -> tuple[str, str]:
    """The names of a joint on both sides."""
    return f"{SIDES[0]}_{joint}", f"{SIDES[1]}_{joint}"


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
