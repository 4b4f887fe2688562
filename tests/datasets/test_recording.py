"""Recording: the parts that the built-in adapters share."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.core.types import Frame, View
from selfmva.datasets.recording import Recording, split_by_time
from selfmva.errors import DuplicateIdentityWarning

VIEWS = (View("left", 100, 100), View("right", 100, 100))
BOX = [[0, 0, 5, 5]]


def labelled(instant: int, *ids: list[int]) -> Frame:
    return Frame([BOX * len(each) for each in ids], index=instant, track_ids=ids)


def test_one_range_of_indices_over_both_kinds() -> None:
    detections = [Frame([BOX, []], index=4, scores=[[0.5], []], track_ids=[[8], []]), Frame([[], BOX], index=6)]
    annotated = [labelled(4, [3], [3]), labelled(6, [], [0]), labelled(9, [1], [-1])]
    data = Recording(VIEWS, detections=detections, annotated=annotated, annotated_splits={"test": [9, 4], "none": []})
    assert len(data) == 5
    assert dict(data.splits) == {"train": (0, 1), "test": (2, 4), "none": ()}
    assert [data.frame(index).index for index in range(5)] == [4, 6, 4, 6, 9]
    assert data.identities(0)[0].tolist() == [-1]  # a detector's track is nobody's identity
    assert [ids.tolist() for ids in data.identities(4)] == [[1], [-1]]
    assert data.frame(0).scores[0].tolist() == [0.5]
    assert repr(data) == "Recording(2 views; train: 2, test: 2, none: 0)"


def test_frames_carry_no_labels_and_nothing_can_be_changed() -> None:
    data = Recording(VIEWS, annotated=[labelled(4, [3], [3])], annotated_splits={"train": [4]})
    assert data.frame(0).track_ids is None
    with pytest.raises(ValueError, match="read-only"):
        data.identities(0)[0][0] = 1
    with pytest.raises(TypeError):
        data.splits["train"] = ()


def test_images_scores_and_features_stay_with_their_frames() -> None:
    image = np.full((100, 100, 3), 7, np.uint8)
    shown = {"scores": [[0.5], []], "images": [image, None], "features": [[[1.0, 2.0]], []]}
    frames = [Frame([BOX, []], index=4, track_ids=[[8], []], **shown)]
    data = Recording(VIEWS, detections=frames, annotated=frames, annotated_splits={"test": [4]})
    for frame in (data.frame(0), data.frame(1)):
        assert frame.track_ids is None
        assert frame.scores[0].tolist() == [0.5]
        assert np.array_equal(frame.images[0], image)
        assert frame.images[1] is None
        assert [part.tolist() for part in frame.features] == [[[1.0, 2.0]], []]


def test_one_person_twice_in_a_view() -> None:
    Recording(VIEWS, annotated=[labelled(4, [3, -1, -1], [3])], annotated_splits={})
    with pytest.warns(
        DuplicateIdentityWarning, match="here: 1 times, .* instant 4, view 1: identity 7 stands there 2 "
    ):
        Recording(VIEWS, annotated=[labelled(4, [3], [7, 3, 7])], annotated_splits={}, source="here")


@pytest.mark.parametrize(("count", "sizes"), [(0, (0, 0, 0)), (9, (8, 1, 0)), (10, (8, 1, 1)), (712, (513, 128, 71))])
def test_the_published_split(count: int, sizes: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    instants = np.sort(rng.permutation(2000)[:count]).tolist()
    frames = [labelled(t, [1], [2]) for t in instants] + [labelled(5000, [1, 2], []), labelled(5001, [], [])]
    parts = split_by_time(frames)
    assert tuple(len(parts[name]) for name in ("train", "validation", "test")) == sizes
    assert parts["train"] + parts["validation"] + parts["test"] == instants  # in order, and none is lost or shared
