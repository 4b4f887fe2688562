"""Anchors: what the people of a recording look like, and which box is whose, by constrained voting over its track.

The anchor-guided clustering of the winner of the AI City Challenge 2023 without its numbers of a scene: how many people
there are is chosen without labels, two boxes of one image are never one person, one metric throughout, and who is like
no anchor becomes a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from scipy.sparse import coo_array

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.scalars import flag, integer, real
from selfmva.errors import InputError, NotFittedError
from selfmva.tracking.clusters import Linkage, choose_count, merge_clusters
from selfmva.tracking.columns import read_rows, read_table
from selfmva.tracking.gap_law import evenly
from selfmva.tracking.voting import assign_in_images, window_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

# Boxes that are clustered, whole images evenly spread over the recording: these take a second, most of it to choose the
# number of people, and the work grows with the third power.
MOST_CLUSTERED = 600


class AnchorClustering:
    """Find the people of a recording in the embeddings of their boxes.

    Args:
        distance_threshold: Height of the hierarchy at which it is cut, of embeddings of length 1; None: not by height.
        n_clusters: Number of people; None: chosen, by the largest mean silhouette, where no height is given.
        linkage: `"ward"`, `"average"` or `"complete"`.
        cannot_link: Whether two boxes of one view at one instant are two people.

    Attributes:
        anchors_: `(P, D)` float64, the mean direction of each person's embeddings, not normalised: its length says how
            alike they are, and the product with an embedding is the mean cosine with all of them.
        labels_: `(M,)` int64 the person of each box that was clustered.
        rows_: `(M,)` int64 which boxes were.

    Raises:
        InputError: An argument is out of its range, or a height and a number are given.

    Example:
        >>> embeddings = [[1, 0], [0, 1], [0.9, 0.1], [0.1, 0.9]]
        >>> AnchorClustering().fit(embeddings, [0, 0, 1, 1], [0, 0, 0, 0]).labels_.tolist()
        [0, 1, 0, 1]
    """

    anchors_: FloatArray
    labels_: IntArray
    rows_: IntArray

    def __init__(
        self,
        *,
        distance_threshold: float | None = None,
        n_clusters: int | None = None,
        linkage: Linkage = "ward",
        cannot_link: bool = True,
    ) -> None:
        if distance_threshold is not None and n_clusters is not None:
            raise InputError("give distance_threshold or n_clusters, not both; without either, the number is chosen")
        if not is_one_of(linkage, get_args(Linkage)):
            raise InputError(f"linkage must be one of {', '.join(get_args(Linkage))}; got {shown(linkage)}")
        self.distance_threshold = (
            None if distance_threshold is None else real(distance_threshold, "distance_threshold", above=0)
        )
        self.n_clusters = None if n_clusters is None else integer(n_clusters, "n_clusters", least=1)
        self.linkage = linkage
        self.cannot_link = flag(cannot_link, "cannot_link")

    def __getattr__(self, name: str) -> Any:
        if name in ("anchors_", "labels_", "rows_"):
            raise NotFittedError(
                f"this AnchorClustering has no {name} yet: call fit(embeddings, instants, views) first"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def fit(self, embeddings: ArrayLike, instants: ArrayLike, views: ArrayLike) -> AnchorClustering:
        """Find the people.

        Args:
            embeddings: `(N, D)` of boxes that are seen well, of any length; rows that are not finite or 0 are left out.
            instants: `(N,)` when each was seen.
            views: `(N,)` in which view.

        Raises:
            InputError: The columns do not fit together, or fewer clusters are asked for than people stand in one image.
        """
        rows = read_rows(instants, views, np.zeros(np.shape(np.asarray(instants))))
        directions = normalised(read_table(embeddings, "embeddings", len(rows.ids), None))
        good = np.flatnonzero(np.isfinite(directions).all(axis=1))
        image = np.unique(np.stack([rows.views, rows.instants], axis=1), axis=0, return_inverse=True)[1].ravel()
        chosen = _thinned(rows.instants, good)
        points = directions[chosen]
        distances = np.sqrt(np.maximum(2 - 2 * points @ points.T, 0.0))
        apart = (image[chosen][:, None] == image[chosen]) & self.cannot_link & ~np.eye(len(chosen), dtype=bool)
        merges = merge_clusters(distances, apart, self.linkage)
        fewest = len(chosen) - len(merges.pairs)
        if self.distance_threshold is not None:
            count = len(chosen) - int(np.searchsorted(np.maximum.accumulate(merges.heights), self.distance_threshold))
        else:
            count = choose_count(merges, distances) if self.n_clusters is None else self.n_clusters
        if self.n_clusters is not None and len(chosen) and not fewest <= count <= len(chosen):
            raise InputError(
                f"n_clusters is {count}, but {len(chosen)} boxes come together in {fewest} to {len(chosen)} clusters: "
                "two boxes of one view at one instant are two people; ask for another number, or set cannot_link=False"
            )
        self.labels_, self.rows_ = merges.labels(count), chosen
        self.anchors_ = _means(points, self.labels_, directions.shape[1])
        return self


class AnchorAssigner:
    """Say which box is whose, by constrained voting.

    Args:
        window: Instants around each box over which the boxes of its track vote. Larger is steadier, and slower to
            follow a track that goes over to somebody else.
        new_people: Whether tracks that are like no anchor become new ones.

    Attributes:
        anchors_: `(P, D)` those of the last call, the new ones at the end.

    Raises:
        InputError: An argument is out of its range.

    Example:
        >>> assigner = AnchorAssigner(window=3)
        >>> embeddings = [[1, 0], [0, 1], [0.9, 0.1], [0.1, 0.9]]
        >>> assigner.assign(embeddings, [0, 0, 1, 1], [0, 0, 0, 0], [4, 5, 4, 5], [[0, 1], [1, 0]]).tolist()
        [1, 0, 1, 0]
    """

    anchors_: FloatArray

    def __init__(self, *, window: int = 15, new_people: bool = True) -> None:
        self.window = integer(window, "window", least=1, most=1_000_000)
        self.new_people = flag(new_people, "new_people")

    def assign(
        self,
        embeddings: ArrayLike,
        instants: ArrayLike,
        views: ArrayLike,
        tracks: ArrayLike,
        anchors: ArrayLike,
    ) -> IntArray:
        """Assign boxes to anchors, one at most once in a view and instant.

        Args:
            embeddings: `(N, D)` of all boxes; those that are not finite or 0 have no vote, but one by their track.
            instants: `(N,)`.
            views: `(N,)`.
            tracks: `(N,)` track of each box inside its view; below 0 = alone.
            anchors: `(P, D)`, such as `AnchorClustering.anchors_`.

        Returns:
            `(N,)` int64 number of the anchor; -1 where none is left, or where nothing is known of the box.

        Raises:
            InputError: The columns do not fit together.
        """
        rows = read_rows(instants, views, tracks)
        directions = normalised(read_table(embeddings, "embeddings", len(rows.ids), None))
        people = read_table(anchors, "anchors", None, directions.shape[1] if directions.size else None)
        known = np.isfinite(directions).all(axis=1, keepdims=True)
        directions = np.where(known, directions, 0.0)
        pairs = np.stack([rows.views, rows.ids], axis=1)
        own = np.where(rows.ids < 0, -1, np.unique(pairs, axis=0, return_inverse=True)[1].ravel())
        means = window_sums(rows.instants, own, directions, self.window)
        counted = window_sums(rows.instants, own, np.asarray(known, dtype=np.float64), self.window)
        means /= np.maximum(counted, 1.0)
        if self.new_people and len(people):
            people = np.concatenate([people, _new_people(means, own, rows.instants, rows.views, people)])
        self.anchors_ = people
        # Mean cosines, moved up so that one that is below 0 is still better than none.
        votes = np.where(counted > 0, means @ people.T + 2.0, -np.inf)
        return assign_in_images(rows.instants, rows.views, votes)


def normalised(embeddings: FloatArray) -> FloatArray:
    """Rows of length 1; NaN where a row is 0 or not finite."""
    length = np.asarray(np.linalg.norm(embeddings, axis=1, keepdims=True))
    good = np.asarray(np.isfinite(length) & (length > 0))
    return np.asarray(np.where(good, embeddings, np.nan) / np.where(good, length, 1.0))


def _thinned(instants: IntArray, good: IntArray) -> IntArray:
    """Some of the good rows: those of instants that are spread evenly."""
    times, counts = np.unique(instants[good], return_counts=True)
    if len(good) <= MOST_CLUSTERED:
        return good
    kept = times[evenly(len(times), max(1, int(MOST_CLUSTERED / counts.mean())))]
    return good[np.isin(instants[good], kept)][:MOST_CLUSTERED]


def _means(points: FloatArray, labels: IntArray, width: int) -> FloatArray:
    count = int(labels.max(initial=-1)) + 1
    sums = np.zeros((count, width))
    np.add.at(sums, labels, points)
    return sums / np.maximum(np.bincount(labels, minlength=count), 1)[:, None]


def _new_people(
    means: FloatArray, tracks: IntArray, instants: IntArray, views: IntArray, people: FloatArray
) -> FloatArray:
    """`(K, D)` anchors of tracks that are like none.

    What is like an anchor is known of the anchors themselves: the cosine with one's own is about its length,
    squared, and that with others is what the anchors have among each other. Halfway in between is the limit.
    """
    within = float(np.median((people**2).sum(axis=1)))
    products = people @ people.T
    between = (
        float(np.median(np.where(np.eye(len(people), dtype=bool), -1.0, products).max(axis=1)))
        if len(people) > 1
        else 0.0
    )
    limit = (within + max(between, 0.0)) / 2
    strange = (means @ people.T).max(axis=1) < limit
    strange &= (means != 0).any(axis=1)
    members = np.flatnonzero(strange & (tracks >= 0))
    numbers, first, counts = np.unique(tracks[members], return_index=True, return_counts=True)
    lasting = np.bincount(tracks[tracks >= 0])[numbers] if len(numbers) else counts
    chosen = members[first[counts > lasting / 2]]  # tracks of which most boxes are strange
    if not len(chosen):
        return np.zeros((0, people.shape[1]))
    rows = np.flatnonzero(np.isin(tracks, tracks[chosen]))
    number = np.unique(tracks[rows], return_inverse=True)[1]
    image = np.unique(np.stack([views, instants], axis=1)[rows], axis=0, return_inverse=True)[1].ravel()
    seen = coo_array((np.ones(len(rows)), (number, image))).tocsr()
    apart = ((seen @ seen.T).toarray() > 0) & ~np.eye(len(chosen), dtype=bool)  # two tracks of one image
    own = _means(means[rows], number, people.shape[1])
    directions = normalised(own)
    distances = np.sqrt(np.maximum(2 - 2 * directions @ directions.T, 0.0))
    merges = merge_clusters(distances, apart, "average")
    count = len(own) - int(np.searchsorted(merges.heights, np.sqrt(max(2 - 2 * limit, 0.0))))
    return _means(own, merges.labels(count), people.shape[1])
