"""Score tracks against who was there: in each view, in all views as one sequence, and on the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.scalars import flag, real
from selfmva.core.view_names import find_views
from selfmva.errors import InputError
from selfmva.metrics.tracking.argument import as_trajectories
from selfmva.metrics.tracking.clear import clear
from selfmva.metrics.tracking.hota import hota
from selfmva.metrics.tracking.identity import identity
from selfmva.metrics.tracking.mvmhat import MvmhatScore, mvmhat_score
from selfmva.metrics.tracking.pairs import pair_score
from selfmva.metrics.tracking.preparation import (
    AT_THE_LIMIT,
    check_once,
    floor_sequence,
    union_sequence,
    without_ignored,
)
from selfmva.metrics.tracking.scores import TrackingScore, TrackingScores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence
    from selfmva.metrics.tracking.trajectories import Trajectories


def score(
    truth: Any,
    found: Any,
    *,
    threshold: float = 0.5,
    floor_distance: float = 1.0,
    instants: ArrayLike | None = None,
    ignore_unknown: bool = True,
    mvmhat: bool = False,
) -> TrackingScores:
    """Score tracks against who was there: CLEAR MOT, identity and HOTA.

    Args:
        truth: Who was there: `Trajectories`; a tidy table (frame, view, id, x1, y1, x2, y2 and, where known, floor_x,
            floor_y); a pair `(frames, ids)`; a sequence of `(frame, identities)`; or the path of a table (`.csv`,
            `.parquet`), of Self-MVA or COCO boxes with track ids (`.json`), of MOT text or of a folder of it, one file
            per view, or a sequence of such files.
        found: The tracks, as one of these, or anything with `to_dataframe()`, such as `Tracks`, or a sequence of
            `Association` whose ids last. Boxes with an id below 0 are nobody's and not counted.
        threshold: Least similarity of a match in CLEAR MOT and identity scores; HOTA takes its 19 whatever this is. The
            similarity of boxes is their intersection over union.
        floor_distance: Where a match on the floor ends, in the unit of the positions: metres, or body heights (1 m is
            about 0.6). The similarity of positions is 1 - distance / (2 `floor_distance`), at least 0, so that it is .5
            there, as in TrackEval.
        instants: Numbers of the instants that are scored, such as `range(1, 601)`; None: those of the truth.
        ignore_unknown: Boxes of the truth with an identity below 0 are nobody's known; found boxes that match them best
            are not counted. False: the truth is read without them, so that such boxes are false positives.
        mvmhat: Compute MvMHAT's own metric, too, which repeats the errors of its published code.

    Returns:
        The scores. An id has to be right in all views for those of the union; those of the floor are there where truth
        and tracks have positions, of which a person has one an instant, the mean over their rows.

    Raises:
        InputError: One of the two is nothing that is read here, the truth is empty, no found box has an id, an id
            stands twice in one view at one instant, or tracks have views or instants that the truth does not have.
        DataError: A file is missing or damaged.

    Example:
        >>> import pandas as pd
        >>> truth = pd.DataFrame({"frame": range(4), "view": 0, "id": 7, "x1": 0, "y1": 0, "x2": 10, "y2": 20})
        >>> scores = score(truth, truth.assign(id=[3, 3, 4, 4]))
        >>> scores.union.mota, scores.union.idf1, scores.union.id_switches
        (0.75, 0.5, 1)
    """
    threshold = real(threshold, "threshold", above=0, most=1)
    floor_distance = real(floor_distance, "floor_distance", above=0)
    flag(ignore_unknown, "ignore_unknown")
    flag(mvmhat, "mvmhat")
    people, tracks = as_trajectories(truth, "truth"), as_trajectories(found, "found")
    _check_somebody(people)
    tracks = _in_views_of(people, tracks)
    people, tracks = _at_instants(people, tracks, instants)
    _check_somebody(people)
    check_once(people, "truth")
    check_once(tracks, "found")
    if len(tracks) and not (tracks.ids >= 0).any():
        raise InputError(f"found has {len(tracks)} boxes and none has an id: give tracks, not detections")

    floor = None
    if people.floor is not None and tracks.floor is not None:
        points = floor_sequence(people, tracks, floor_distance)
        floor = _score(without_ignored(points, AT_THE_LIMIT, ignore_unknown), AT_THE_LIMIT)
    if people.boxes is None or tracks.boxes is None:
        if floor is None:
            raise InputError("truth and found have nothing in common: one has boxes alone, the other positions alone")
        return TrackingScores((), (), None, floor, None)
    V = max(people.least_views, tracks.least_views)
    whole = union_sequence(people, tracks)
    T = whole.length // V
    union = without_ignored(whole, threshold, ignore_unknown)
    return TrackingScores(
        views=tuple(_score(union.part(view * T, (view + 1) * T), threshold) for view in range(V)),
        view_names=people.view_names or tracks.view_names or tuple(f"view {view}" for view in range(V)),
        union=_score(union, threshold),
        floor=floor,
        pairs=pair_score(union, T, threshold) if V > 1 else None,
        mvmhat=_mvmhat(whole, people) if mvmhat else None,
    )


def _score(sequence: TrackSequence, threshold: float) -> TrackingScore:
    """All scores of one sequence."""
    curves = hota(sequence)
    parts = ("hota", "deta", "assa", "detre", "detpr", "assre", "asspr", "loca")
    counts: dict[str, Any] = vars(clear(sequence, threshold)) | vars(identity(sequence, threshold))
    counts |= {name: float(getattr(curves, name).mean()) for name in parts}
    return TrackingScore(
        **counts,
        boxes=len(sequence.truth.ids),
        found_boxes=len(sequence.found.ids),
        people=len(np.unique(sequence.truth.ids)),
        ids=len(np.unique(sequence.found.ids)),
        curves=curves,
    )


def _check_somebody(truth: Trajectories) -> None:
    if not (truth.is_placed & (truth.ids >= 0)).any():
        raise InputError(f"truth has no box of a known person at the {len(truth.all_instants)} instants to be scored")


def _mvmhat(union: TrackSequence, people: Trajectories) -> MvmhatScore:
    """MvMHAT's own metric, of all boxes that are somebody's."""
    known = union.keep(union.truth.ids >= 0, union.found.ids >= 0)
    views = max(people.least_views, 1)
    # The smallest identity has the number 0 in a sequence.
    zero = 0 if (people.ids == 0).any() else -1
    return mvmhat_score(known, union.length // views, len(people.all_instants), zero)


def _in_views_of(truth: Trajectories, found: Trajectories) -> Trajectories:
    """The tracks with the views numbered as in the truth.

    Raises:
        InputError: Their views are others.
    """
    if truth.boxes is None or found.boxes is None:
        return found
    if truth.view_names is not None and found.view_names is not None:
        places = find_views(found.view_names, truth.view_names)
        if None in places or len(set(places)) < len(places):
            raise InputError(
                f"found has the views {', '.join(found.view_names)}, truth has {', '.join(truth.view_names)}: give "
                "both the same views, or choose some with Trajectories.of_views()"
            )
        return found.in_views(np.array(places, dtype=np.int64), truth.view_names, len(truth.view_names))
    V = truth.least_views
    strange = found.views >= V
    if strange.any():
        raise InputError(
            f"found has {np.count_nonzero(strange)} boxes in view {found.views[strange][0]}, but truth has {V} views: "
            "choose some with Trajectories.of_views(), or say how many truth has"
        )
    if None not in (truth.view_count, found.view_count) and truth.view_count != found.view_count:
        raise InputError(
            f"truth has {truth.view_count} views, found has {found.view_count}: choose some with "
            "Trajectories.of_views()"
        )
    return found


def _at_instants(
    truth: Trajectories, found: Trajectories, instants: ArrayLike | None
) -> tuple[Trajectories, Trajectories]:
    """Both at the instants that are scored.

    Raises:
        InputError: The tracks have instants that the truth does not have, and none was said to be scored.
    """
    if instants is not None:
        return truth.at(instants), found.at(instants)
    known: IntArray = truth.all_instants
    strange = ~np.isin(found.frames, known)
    if strange.any() and len(known):
        raise InputError(
            f"found has {np.count_nonzero(strange)} of {len(found)} boxes at instants that truth does not have, the "
            f"first at {found.frames[strange].min()}; truth has {len(known)} from {known[0]} to {known[-1]}: say which "
            "are scored by instants=, such as range(first, last + 1)"
        )
    return truth, found
