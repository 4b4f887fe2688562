"""People are found in embeddings, and boxes are theirs by constrained voting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import silhouette_score

from selfmva.errors import InputError, NotFittedError
from selfmva.metrics.tracking import score
from selfmva.tracking.anchors import AnchorAssigner, AnchorClustering
from selfmva.tracking.clusters import Linkage, merge_clusters, silhouette

CORNERS = ["x1", "y1", "x2", "y2"]


def looks(ids: np.ndarray, seed: int = 0, width: int = 128, within: float = 0.8, between: float = 0.2) -> np.ndarray:
    """Embeddings whose cosine is about `within` for one identity, and `between` for two."""
    rng = np.random.default_rng(seed)
    numbers, person = np.unique(ids, return_inverse=True)
    basis = np.linalg.qr(rng.normal(size=(width, len(numbers) + 1)))[0].T
    people = np.sqrt(between / within) * basis[0] + np.sqrt(1 - between / within) * basis[1:]
    noise = rng.normal(size=(len(ids), width)) / np.sqrt(width)
    return np.sqrt(within) * people[person] + np.sqrt(1 - within) * noise


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(((one[:, None] == one) == (other[:, None] == other)).all())


@pytest.mark.parametrize("linkage", ["ward", "average", "complete"])
def test_without_forbidden_pairs_it_is_scipys(linkage: Linkage) -> None:
    points = np.random.default_rng(4).normal(size=(60, 5))
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    found = merge_clusters(distances, np.zeros((60, 60), dtype=bool), linkage)
    expected = scipy_linkage(squareform(distances, checks=False), linkage)
    np.testing.assert_allclose(found.heights, expected[:, 2])
    for clusters in (1, 2, 7, 30, 60):
        labels = fcluster(expected, clusters, "maxclust")
        assert same_partition(found.labels(clusters), labels)
        if 1 < clusters < 60:
            assert silhouette(distances, found.labels(clusters)) == pytest.approx(
                silhouette_score(distances, labels, metric="precomputed")
            )


def test_two_boxes_of_one_image_are_never_one_person() -> None:
    """Embeddings that tell nothing."""
    rng = np.random.default_rng(1)
    instants, views = np.repeat(np.arange(20), 6), np.tile([0, 0, 0, 1, 1, 2], 20)
    embeddings = rng.normal(size=(120, 8))
    for options in ({}, {"n_clusters": 20}, {"distance_threshold": 1e9}):
        labels = AnchorClustering(**options).fit(embeddings, instants, views).labels_  # type: ignore[arg-type]
        assert np.unique(np.column_stack([instants, views, labels]), axis=0).shape[0] == 120
    free = AnchorClustering(distance_threshold=1e9, cannot_link=False).fit(embeddings, instants, views)
    assert len(free.anchors_) == 1


@pytest.mark.parametrize("people", [1, 2, 5, 12])
def test_number_of_people_is_found(people: int) -> None:
    ids = np.tile(np.arange(people), 20)
    clustering = AnchorClustering().fit(looks(ids), np.arange(len(ids)), np.zeros(len(ids)))
    assert len(clustering.anchors_) == people
    assert same_partition(clustering.labels_, ids)


def test_who_looks_like_nobody_becomes_a_new_person() -> None:
    ids = np.tile(np.arange(5), 40)
    instants = np.repeat(np.arange(40), 5)
    embeddings, zeros = looks(ids), np.zeros(200, dtype=int)
    early = (ids < 3) & (instants < 20)
    anchors = AnchorClustering().fit(embeddings[early], instants[early], zeros[early]).anchors_
    assert len(anchors) == 3
    assigner = AnchorAssigner()
    found = assigner.assign(embeddings, instants, zeros, ids, anchors)
    assert len(assigner.anchors_) == 5
    assert same_partition(found, ids)
    closed = AnchorAssigner(new_people=False).assign(embeddings, instants, zeros, ids, anchors)
    assert (closed.reshape(40, 5).max(axis=1) == 2).all()
    assert ((closed.reshape(40, 5) == -1).sum(axis=1) == 2).all()


def test_a_box_without_look_goes_with_its_track() -> None:
    ids = np.tile([0, 1], 10)
    embeddings, instants, zeros = looks(ids), np.repeat(np.arange(10), 2), np.zeros(20, dtype=int)
    anchors = AnchorClustering().fit(embeddings, instants, zeros).anchors_
    embeddings[6:9] = np.nan
    assert same_partition(AnchorAssigner(window=9).assign(embeddings, instants, zeros, ids, anchors), ids)


def test_nothing_and_what_is_wrong() -> None:
    empty = AnchorClustering().fit(np.zeros((0, 4)), [], [])
    assert empty.anchors_.shape == (0, 4)
    assert AnchorAssigner().assign(np.ones((2, 4)), [0, 0], [0, 0], [0, 1], empty.anchors_).tolist() == [-1, -1]
    assert len(AnchorClustering().fit(np.full((3, 4), np.nan), [0, 1, 2], [0, 0, 0]).rows_) == 0
    with pytest.raises(NotFittedError, match=r"call fit\(embeddings, instants, views\) first"):
        _ = AnchorClustering().anchors_
    with pytest.raises(InputError, match="not both"):
        AnchorClustering(distance_threshold=1, n_clusters=3)
    with pytest.raises(InputError, match="linkage must be one of ward, average, complete; got 'single'"):
        AnchorClustering(linkage="single")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n_clusters is 1, but 3 boxes come together in 2 to 3 clusters"):
        AnchorClustering(n_clusters=1).fit(np.eye(3), [0, 0, 1], [0, 0, 0])


@pytest.mark.realdata
@pytest.mark.parametrize(("scene", "first", "last", "people"), [(12, 1500, 2000, 6), (13, 1500, 2000, 6)])
def test_people_of_a_real_scene(data_root: Path, scene: int, first: int, last: int, people: int) -> None:
    """Boxes and walks are real, and looks made up."""
    parts = [
        pd.read_csv(data_root / "epfl" / f"{scene}_{view + 1}.txt", header=None, usecols=range(6)).assign(view=view)
        for view in range(4)
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows[0].between(first, last)].drop_duplicates([0, "view", 1])
    table = pd.DataFrame({"frame": rows[0], "view": rows.view, "id": rows[1], "x1": rows[2], "y1": rows[3]})
    table = table.assign(x2=rows[2] + rows[4], y2=rows[3] + rows[5])
    embeddings = looks(table.id.to_numpy())
    clustering = AnchorClustering().fit(embeddings, table.frame, table.view)
    assert len(clustering.anchors_) == table.id.nunique() == people
    tracks = table.id.to_numpy()
    for own in (tracks, np.full(len(table), -1)):
        found = AnchorAssigner().assign(embeddings, table.frame, table.view, own, clustering.anchors_)
        union = score(table, table.assign(id=found)[found >= 0]).union
        assert union is not None
        assert union.idf1 >= 0.99
