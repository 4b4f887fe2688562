"""Bodies in three dimensions at one instant: the result of `Associator.poses`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Poses3D:
    """Where the joints of people are.

    Attributes:
        joints: `(P, K, 3)` x, y, z in the unit of the floor: z up, 0 on the floor; NaN where no two views agree.
        scores: `(P, K)` in [0, 1]: the detector's scores in the views that agree, times the fraction of views that do.
        ids: `(P,)` of the people, as in the association; they last where the association's do.
        uncertainties: `(P, K)` root mean square distance from the truth to expect, in the unit of the floor.
        reprojection_errors: `(P, K)` root mean square distance in pixels from where the views that agree see it.
        views_used: `(P, K, V)` which views agree.
        skeleton: Which joints they are.
        index: Number of the instant.
        unit: What the floor is measured in: `"body heights"` or `"metres"`.

    Raises:
        InputError: The parts do not fit together.

    Example:
        >>> from selfmva.core.skeletons import Skeleton
        >>> stick = Skeleton("stick", ("head", "foot"))
        >>> poses = Poses3D(np.array([[[0, 0, 1.0], [0, 0, 0]]]), np.ones((1, 2)), np.array([4]), skeleton=stick)
        >>> poses
        Poses3D(instant 0: 1 person, 2 joints of 2, in body heights)
        >>> poses.to_dataframe()["z"].tolist()
        [1.0, 0.0]
    """

    joints: FloatArray
    scores: FloatArray
    ids: IntArray
    uncertainties: FloatArray | None = None
    reprojection_errors: FloatArray | None = None
    views_used: np.ndarray | None = None
    skeleton: Skeleton | None = None
    index: int = 0
    unit: str = "body heights"

    def __post_init__(self) -> None:
        people, joints = self.joints.shape[:2]
        if self.joints.shape != (people, joints, 3) or self.scores.shape != (people, joints):
            raise InputError(
                f"joints must have shape (P, K, 3) and scores (P, K), got {self.joints.shape} and {self.scores.shape}"
            )
        if self.ids.shape != (people,):
            raise InputError(f"ids must have shape ({people},), one a person, got {self.ids.shape}")
        if self.skeleton is not None and len(self.skeleton) != joints:
            raise InputError(
                f"skeleton {self.skeleton.name!r} has {len(self.skeleton)} joints, the poses have {joints}"
            )

    def __len__(self) -> int:
        """Number of people."""
        return len(self.ids)

    def converted(self, skeleton: Skeleton) -> Poses3D:
        """The same people with the joints of another skeleton, see `Skeleton.convert`.

        Uncertainties, reprojection errors and views are those of joints of the same name; NaN for all others.

        Raises:
            InputError: These poses don't say which joints they are.
        """
        own = self._named()
        both = np.concatenate([self.joints, self.scores[..., None]], axis=-1)
        found = own.convert(both, skeleton)
        return replace(
            self,
            joints=found[..., :3],
            scores=found[..., 3],
            uncertainties=self._by_name(self.uncertainties, skeleton),
            reprojection_errors=self._by_name(self.reprojection_errors, skeleton),
            views_used=None
            if self.views_used is None
            else np.nan_to_num(self._by_name(self.views_used.astype(float), skeleton)).astype(bool),
            skeleton=skeleton,
        )

    def to_dataframe(self) -> pd.DataFrame:
        """A tidy table, one row per joint that is known.

        Returns:
            Columns frame, id, joint (its name, or number), x, y, z, score and, where known, uncertainty and
            reprojection_error.
        """
        import pandas as pd

        person, joint = np.nonzero(np.isfinite(self.joints).all(axis=-1))
        names = (
            np.arange(self.joints.shape[1]) if self.skeleton is None else np.array(self.skeleton.joints, dtype=object)
        )
        columns: dict[str, Any] = {
            "frame": np.full(len(person), self.index),
            "id": self.ids[person],
            "joint": names[joint],
        }
        columns |= {name: self.joints[person, joint, axis] for axis, name in enumerate("xyz")}
        columns["score"] = self.scores[person, joint]
        optional = ("uncertainty", self.uncertainties), ("reprojection_error", self.reprojection_errors)
        columns |= {name: values[person, joint] for name, values in optional if values is not None}
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        known = int(np.isfinite(self.joints).all(axis=-1).sum())
        people = "1 person" if len(self) == 1 else f"{len(self)} people"
        return f"Poses3D(instant {self.index}: {people}, {known} joints of {self.scores.size}, in {self.unit})"

    def _repr_html_(self) -> str:
        """A table for notebooks: one row per person."""
        rows = "".join(
            f"<tr><th>{number}</th><td>{int(np.isfinite(joints).all(axis=-1).sum())}</td>"
            f"<td>{score[score > 0].mean() if (score > 0).any() else 0:.2f}</td></tr>"
            for number, joints, score in zip(self.ids.tolist(), self.joints, self.scores, strict=True)
        )
        head = "<tr><th>person</th><th>joints</th><th>score</th></tr>"
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>"

    def _named(self) -> Skeleton:
        if self.skeleton is None:
            raise InputError("these poses don't say which joints they are: give Poses3D(..., skeleton=)")
        return self.skeleton

    def _by_name(self, values: FloatArray | None, skeleton: Skeleton) -> Any:
        """Values `(P, K, ...)` of joints of the same name; NaN for others."""
        if values is None:
            return None
        own = self._named()
        found = np.full((len(values), len(skeleton), *values.shape[2:]), np.nan)
        for number, joint in enumerate(skeleton.joints):
            if joint in own.joints:
                found[:, number] = values[:, own.joints.index(joint)]
        return found
