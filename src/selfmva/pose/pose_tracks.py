"""Poses of a recording, people over time: refined, measured, and written for other tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.errors import InputError
from selfmva.pose.columns import pack_poses
from selfmva.pose.limbs import learn_lengths
from selfmva.pose.motion_files import read_poses, write_c3d, write_poses, write_trc
from selfmva.pose.poses import Poses3D
from selfmva.pose.refinement import refine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from selfmva.core.skeletons import Skeleton
    from selfmva.pose.columns import PoseColumns
    from selfmva.pose.motion_files import UpAxis

METRES = "metres"
MOST_ROWS = 20  # people, in a notebook


@dataclass(frozen=True, eq=False, repr=False)
class PoseTracks:
    """Where the joints of people are over a recording; an id is one person throughout.

    Attributes:
        poses: Instant by instant, in the order of time.

    Raises:
        InputError: Instants are out of order or there twice, or poses are of other skeletons or units.

    Example:
        >>> from selfmva.core.skeletons import Skeleton
        >>> stick = Skeleton("stick", ("left_hip", "left_knee"))
        >>> legs = np.array([[[0, 0, 0.9], [0, 0, 0.5]]])
        >>> ids, sure = np.array([7]), np.ones((1, 2))
        >>> tracks = PoseTracks.of(Poses3D(legs + 0.1 * t, sure, ids, skeleton=stick, index=t) for t in range(9))
        >>> tracks
        PoseTracks(9 instants, 1 person, 2 joints of stick, in body heights)
        >>> tracks.limb_lengths()["length"].round(3).tolist()
        [0.4]
    """

    poses: tuple[Poses3D, ...]

    def __post_init__(self) -> None:
        _check(self.poses)

    @classmethod
    def of(cls, poses: Iterable[Poses3D]) -> PoseTracks:
        """From poses whose ids last, such as `associator.poses_many(associator.track(frames))`."""
        return cls(tuple(stream(poses, "poses", "one Poses3D per instant")))

    @classmethod
    def load(cls, path: str | Path) -> PoseTracks:
        """What `save` wrote.

        Raises:
            DataError: The file is missing, damaged, or something else.
        """
        return cls(tuple(read_poses(path)))

    def __len__(self) -> int:
        """Number of instants."""
        return len(self.poses)

    def __iter__(self) -> Iterator[Poses3D]:
        return iter(self.poses)

    @property
    def people(self) -> tuple[int, ...]:
        """The ids, increasing."""
        return tuple(np.unique(np.concatenate([np.zeros(0, np.int64), *(one.ids for one in self.poses)])).tolist())

    @property
    def skeleton(self) -> Skeleton | None:
        """Which joints they are; None where nobody is there, or the poses don't say it."""
        return next((one.skeleton for one in self.poses if len(one)), None)

    @property
    def unit(self) -> str:
        """What places are measured in: `"body heights"` or `"metres"`."""
        return self.poses[0].unit if self.poses else "body heights"

    def refined(self, *, longest_gap: int = 0) -> PoseTracks:
        """The same, smoothed over time, with limbs that keep their lengths.

        How much there is to smooth is learnt from the recording: much where errors are independent from instant to
        instant, nothing where people move too fast for that (see `selfmva.pose.smoothing`).

        Args:
            longest_gap: Instants for which a joint may be missing between two that show it, to be filled in between;
                0: nothing is filled. Filled joints have no views in `views_used`.

        Returns:
            New tracks of the same people at the same instants. Uncertainties stay: a detector's errors last.

        Raises:
            InputError: `longest_gap` is no whole number of at least 0.
        """
        longest_gap = integer(longest_gap, "longest_gap", least=0)
        skeleton = self.skeleton
        limbs = () if skeleton is None else skeleton.limbs
        return self._with(refine(self._columns(), limbs, longest_gap))

    def limb_lengths(self) -> pd.DataFrame:
        """How long the limbs of everybody are, by weighted medians over time.

        Returns:
            Columns id, start, end (names of joints), length and spread in the unit of the poses, instants: how many
            tell. The spread is what the uncertainties of joints don't explain, such as of hips that turn.

        Raises:
            InputError: The poses don't say which joints they are.
        """
        import pandas as pd

        if self.people and self.skeleton is None:
            raise InputError("these poses don't say which joints they are: give Poses3D(..., skeleton=)")
        skeleton, columns = self.skeleton, self._columns()
        limbs = () if skeleton is None else skeleton.limbs
        found = learn_lengths(columns.joints, columns.variances, columns.person, len(columns.people), limbs)
        person, limb = np.nonzero(np.isfinite(found.lengths))
        names = np.array([] if skeleton is None else skeleton.joints, dtype=object)
        ends = np.array(limbs, dtype=np.int64).reshape(-1, 2)
        return pd.DataFrame(
            {
                "id": columns.people[person],
                "start": names[ends[limb, 0]],
                "end": names[ends[limb, 1]],
                "length": found.lengths[person, limb],
                "spread": found.spreads[person, limb],
                "instants": found.counts[person, limb],
            }
        )

    def in_metres(self, body_height: float) -> PoseTracks:
        """The same in metres, where the unit is the mean body height.

        Args:
            body_height: Of the people of the recording, in metres; 1.7 is a mean of grown-ups.

        Raises:
            InputError: It is no number above 0, or the poses are in metres already.
        """
        metres = real(body_height, "body_height", above=0)
        if self.unit == METRES:
            raise InputError("these poses are in metres already")
        return PoseTracks(
            tuple(
                replace(
                    one,
                    joints=one.joints * metres,
                    uncertainties=None if one.uncertainties is None else one.uncertainties * metres,
                    unit=METRES,
                )
                for one in self.poses
            )
        )

    def to_dataframe(self) -> pd.DataFrame:
        """A tidy table, one row per joint that is known; see `Poses3D.to_dataframe`."""
        import pandas as pd

        tables = [one.to_dataframe() for one in self.poses]
        return pd.concat([table for table in tables if len(table)] or tables[:1] or [pd.DataFrame()], ignore_index=True)

    def save(self, path: str | Path) -> None:
        """Write everything as one `.npz`, which `load` reads; see `selfmva.pose.motion_files`.

        Raises:
            DataError: The file cannot be written.
        """
        write_poses(path, self.poses)

    def to_trc(self, folder: str | Path, *, frames_per_second: float, up: UpAxis = "y") -> list[Path]:
        """Write a TRC file for each person, for OpenSim and its relatives: `person0.trc`, ...

        Args:
            folder: Where they go; made where it is not there.
            frames_per_second: Instants a second, in their numbering.
            up: Which axis points up: `"y"`, as OpenSim has it, or `"z"`, as here.

        Returns:
            The files.

        Raises:
            InputError: The poses are not in metres (see `in_metres`), or an argument is wrong.
            DataError: A file cannot be written.
        """
        return write_trc(folder, self._metric("TRC"), frames_per_second, up)

    def to_c3d(self, folder: str | Path, *, frames_per_second: float) -> list[Path]:
        """Write a C3D file for each person: `person0.c3d`, ..., in millimetres, z up.

        Args:
            folder: Where they go; made where it is not there.
            frames_per_second: Instants a second, in their numbering.

        Returns:
            The files.

        Raises:
            InputError: The poses are not in metres (see `in_metres`), or an argument is wrong.
            DataError: A file cannot be written.
            MissingDependencyError: c3d is not installed.
        """
        return write_c3d(folder, self._metric("C3D"), frames_per_second)

    def __repr__(self) -> str:
        skeleton, people = self.skeleton, len(self.people)
        joints = "" if skeleton is None else f", {len(skeleton)} joints of {skeleton.name}"
        return (
            f"PoseTracks({len(self)} {'instant' if len(self) == 1 else 'instants'}, "
            f"{people} {'person' if people == 1 else 'people'}{joints}, in {self.unit})"
        )

    def _repr_html_(self) -> str:
        """A table for notebooks: who is there from when to when."""
        columns = self._columns()
        rows = ""
        for number, person in enumerate(self.people[:MOST_ROWS]):
            instants = columns.instant[columns.person == number]
            cells = "".join(f"<td>{number}</td>" for number in (instants.min(), instants.max(), len(instants)))
            rows += f"<tr><th>{person}</th>{cells}</tr>"
        more = "" if len(self.people) <= MOST_ROWS else f"<p>and {len(self.people) - MOST_ROWS} more</p>"
        head = "<tr><th>person</th><th>first</th><th>last</th><th>instants</th></tr>"
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>{more}"

    def _columns(self) -> PoseColumns:
        return pack_poses(self.poses, next((one.joints.shape[1] for one in self.poses if len(one)), 0))

    def _metric(self, form: str) -> tuple[Poses3D, ...]:
        if self.unit != METRES:
            raise InputError(
                f"a {form} file is of lengths that are known, these poses are in {self.unit}: give .in_metres(1.7), or "
                'fit with geometry={"body_height": 1.7}'
            )
        return self.poses

    def _with(self, columns: PoseColumns) -> PoseTracks:
        """The same people at the same instants with other joints."""
        order = np.lexsort((columns.row, columns.source))
        bounds = np.searchsorted(columns.source[order], np.arange(len(self.poses) + 1))
        changed = []
        for one, start, end in zip(self.poses, bounds[:-1], bounds[1:], strict=True):
            rows = order[start:end]
            errors = np.sqrt(3.0 * columns.variances[rows])
            changed.append(
                replace(
                    one,
                    joints=columns.joints[rows],
                    scores=columns.scores[rows],
                    uncertainties=None if one.uncertainties is None else np.where(np.isfinite(errors), errors, np.nan),
                )
                if len(one)
                else one
            )
        return PoseTracks(tuple(changed))


def _check(poses: Any) -> None:
    """Find out whether poses are of one recording."""
    strange = next((one for one in poses if not isinstance(one, Poses3D)), None)
    if strange is not None:
        raise InputError(f"poses must be Poses3D, one per instant, got {shown(strange)}")
    numbers = [one.index for one in poses]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise InputError(f"instants of poses must increase, got the numbers {shown(numbers)}")
    for name, kinds in (
        ("unit", {one.unit for one in poses}),
        ("skeleton", {one.skeleton for one in poses if len(one)}),
        ("number of joints", {one.joints.shape[1] for one in poses if len(one)}),
    ):
        if len(kinds) > 1:
            raise InputError(f"poses of a recording must have one {name}, got {', '.join(sorted(map(str, kinds)))}")
    for one in poses:
        if len(np.unique(one.ids)) < len(one):
            raise InputError(f"instant {one.index}: two people have one id, got {one.ids.tolist()}")
