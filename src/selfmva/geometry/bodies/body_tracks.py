"""Bodies of one view, and which of them are one person for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from selfmva.core.thinning import evenly_spaced_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, Frame, IntArray


@dataclass(frozen=True)
class BodyTrackSettings:
    """Following of bodies inside a view."""

    most_instants: int = 2000  # of a recording; more would not sharpen cameras
    neighbours: int = 250  # instants of a block that stay together
    # Sizes of a body that its joints move between two boxes of one track, in the median: more is somebody else. Who
    # runs comes half a height far in a fifth of a second.
    farthest: float = 0.3
    longest_gap: int = 5  # instants without a box, after which a track is over
    doubtful: float = 2.0  # a second body nearer than so many times as far ends the track: it may be either


BODY_TRACKS = BodyTrackSettings()
BEYOND = 1e6  # distance of two bodies that have no joint in common


@dataclass(frozen=True, eq=False)
class ViewBodies:
    """All bodies that one view shows, instant after instant.

    Attributes:
        instant: `(N,)` number of the instant of every body, increasing.
        row: `(N,)` its row in the frame.
        joints: `(N, K, 2)` x, y in pixels; NaN where a joint is not seen.
        scores: `(N, K)` of the joints, 0 where not seen.
        track: `(N,)` number of the track; -1 for a body on its own.
    """

    instant: IntArray
    row: IntArray
    joints: FloatArray
    scores: FloatArray
    track: IntArray

    @property
    def size(self) -> float:
        """Median size of a body in pixels: the longer side of the box around its joints; 1 without any."""
        sizes = body_sizes(self.joints)
        return float(np.median(sizes)) if len(sizes) else 1.0


def body_sizes(joints: FloatArray) -> FloatArray:
    """`(N,)` longer sides of the boxes around the seen joints of bodies `(N, K, 2)`; at least a pixel."""
    if not len(joints):
        return np.zeros(0)
    seen = np.isfinite(joints)
    low = np.where(seen, joints, np.inf).min(axis=1)
    high = np.where(seen, joints, -np.inf).max(axis=1)
    return np.asarray(np.maximum(np.where(high >= low, high - low, 0.0).max(axis=1), 1.0))


def bodies_of_views(frames: Sequence[Frame], views: int) -> tuple[list[ViewBodies], IntArray]:
    """The bodies of every view of a recording, followed.

    Args:
        frames: Clipped frames with keypoints, in the order of time.
        views: Number of views.

    Returns:
        One entry a view, and the numbers of the frames that were looked at: all, or blocks of neighbours.
    """
    chosen = evenly_spaced_blocks(len(frames), BODY_TRACKS.most_instants, BODY_TRACKS.neighbours)
    # Of instants that are no neighbours, nobody is followed from one to the other.
    time = np.arange(len(chosen)) + np.concatenate([[0], np.cumsum(np.diff(chosen) > 1)]) * BODY_TRACKS.longest_gap
    return [_bodies_of_view([frames[t] for t in chosen], view, time) for view in range(views)], chosen


def _bodies_of_view(frames: Sequence[Frame], view: int, time: IntArray) -> ViewBodies:
    given = [np.zeros((0, 0, 3)) if frame.keypoints is None else frame.keypoints[view] for frame in frames]
    joints = max((part.shape[1] for part in given), default=0)
    parts = [part if len(part) else np.zeros((0, joints, 3)) for part in given]
    keypoints = np.concatenate([np.zeros((0, joints, 3)), *parts])
    counts = np.array([len(part) for part in parts], dtype=np.int64)
    instant = np.repeat(np.arange(len(frames)), counts)
    row = np.concatenate([np.zeros(0, np.int64), *(np.arange(count) for count in counts)])
    if frames and all(frame.track_ids is not None for frame in frames):
        ids = np.concatenate([np.zeros(0, np.int64), *(frame.track_ids[view] for frame in frames if frame.track_ids)])
        track = np.where(ids >= 0, np.unique(ids, return_inverse=True)[1].reshape(-1), -1)
    else:
        track = follow_bodies(keypoints[..., :2], instant, time)
    return ViewBodies(instant, row, keypoints[..., :2], keypoints[..., 2], track)


def follow_bodies(joints: FloatArray, instant: IntArray, time: IntArray) -> IntArray:
    """Follow bodies from instant to instant by where their joints are.

    Args:
        joints: `(N, K, 2)` pixels, NaN where not seen.
        instant: `(N,)` number of the instant, increasing.
        time: `(T,)` times of the instants; neighbours are 1 apart.

    Returns:
        `(N,)` number of each body's track.
    """
    starts = np.searchsorted(instant, np.arange(len(time) + 1))
    track, sizes = np.full(len(joints), -1), body_sizes(joints)
    last = np.zeros(0, np.int64)  # the last body of every track that may go on
    tracks = 0
    for number in range(len(time)):
        now = np.arange(starts[number], starts[number + 1])
        last = last[time[number] - time[instant[last]] <= BODY_TRACKS.longest_gap]
        away = body_distances(joints[last], joints[now]) / sizes[last][:, None]
        ends, begins = linear_sum_assignment(np.minimum(away, BEYOND))
        sure = (away[ends, begins] <= BODY_TRACKS.farthest) & _is_clear(away, ends, begins)
        track[now[begins[sure]]] = track[last[ends[sure]]]
        new = now[track[now] < 0]
        track[new] = tracks + np.arange(len(new))
        tracks += len(new)
        last = np.concatenate([np.delete(last, ends[sure]), now])
    return track


def body_distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """`(N, M)` median distances of the joints that bodies `(N, K, 2)` and `(M, K, 2)` both show; large without any."""
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    away = np.linalg.norm(first[:, None] - second[None], axis=-1)
    seen = np.isfinite(away)
    ordered = np.sort(np.where(seen, away, np.inf), axis=-1)
    middle = np.maximum(seen.sum(axis=-1) - 1, 0) // 2
    median = np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]
    return np.where(np.isfinite(median), median, BEYOND)


def _is_clear(away: FloatArray, ends: IntArray, begins: IntArray) -> np.ndarray:
    """Which of some matches have no rival that is nearly as near."""
    own = away[ends, begins]
    others = away.copy()
    others[ends, begins] = np.inf
    rival = np.minimum(others[ends].min(axis=1, initial=np.inf), others[:, begins].min(axis=0, initial=np.inf))
    return np.asarray(rival > BODY_TRACKS.doubtful * own)
