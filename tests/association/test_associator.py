"""The public contract of Associator, on small scenes."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_scenes import (
    ENOUGH,
    LEARNABLE,
    fit_quietly,
    fitted_on_a_floor,
    flat,
    frames_of,
    learnt_embedding,
    partition,
    quick,
    reorder_cameras,
    scene,
    short,
    shuffle_boxes,
)

from selfmva import Associator, Frame, NotFittedError, View
from selfmva.association.streaming import STREAM_CHUNK
from selfmva.core.config import AssociationConfig, AutoRecipe, BatchRecipe, EncoderConfig, PublishedRecipe
from selfmva.errors import ConfigError, InputError, LearntNothingWarning, RigChangedWarning
from selfmva.io import write_selfmva

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selfmva.association.association import Association
    from selfmva.datasets.simulated import Simulated


@pytest.fixture(scope="module")
def recording() -> Simulated:
    return scene()


@pytest.fixture(scope="module")
def associator(recording: Simulated) -> Associator:
    """Fitted for a few steps: enough for everything that does not depend on how well it learnt."""
    return fit_quietly(quick(), recording)


@pytest.fixture(scope="module")
def learnt() -> Associator:
    return learnt_embedding()[0]


@pytest.fixture
def again(learnt: Associator) -> Associator:
    """A copy of its own, for tests that change it."""
    return copy.deepcopy(learnt)


def assert_same(one: Association, other: Association) -> None:
    assert one.index == other.index
    assert all(map(np.array_equal, one.ids, other.ids))
    for pair, probability in one.probabilities.items():
        np.testing.assert_allclose(probability, other.probabilities[pair], atol=1e-4)


# Hyper-parameters.


def test_defaults_and_round_trip() -> None:
    params = Associator().get_params()
    assert params["seed"] == 0
    assert params["recipe"] == AutoRecipe()
    assert Associator(**params).get_params() == params
    other = Associator(
        seed=3,
        recipe=PublishedRecipe(epochs=2),
        precision="bfloat16",
        threads=2,
        encoder={"prompt": "point"},
        association=AssociationConfig(threshold=0.7),
    )
    assert other.get_params() != params
    assert other.get_params()["encoder"] == EncoderConfig(prompt="point")
    assert Associator(**other.get_params()).get_params() == other.get_params()


@pytest.mark.parametrize(
    ("name", "recipe"), [("auto", AutoRecipe()), ("batch", BatchRecipe()), ("published", PublishedRecipe())]
)
def test_a_recipe_by_name(name: str, recipe: object) -> None:
    assert Associator(recipe=name).get_params()["recipe"] == recipe
    assert Associator(recipe={"name": name}).get_params()["recipe"] == recipe


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "magic"}, "recipe must be one of 'auto', 'published', 'batch', 'geometry', got 'magic'"),
        ({"recipe": {"name": "batch", "epochs": 3}}, "epochs is unknown"),
        ({"recipe": {"name": "batch", "steps": 0}}, "steps"),
        ({"recipe": {"steps": 5}}, "recipe"),
        ({"seed": -1}, "seed: .*got -1"),
        ({"seed": "many"}, "seed: .*got 'many'"),
        ({"precision": "float16"}, "precision: .*'float32' or 'bfloat16'"),
        ({"threads": 0}, "threads"),
        ({"encoder": {"propmt": "box"}}, r"encoder\.propmt is unknown"),
        ({"association": {"threshold": 1.0}}, r"association\.threshold"),
    ],
)
def test_hyper_parameters_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Associator(**options)


def test_arguments_are_keywords() -> None:
    with pytest.raises(TypeError):
        Associator(0)  # type: ignore[misc]


# Before and after fit.


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("associate", ([[], []],)),
        ("adapt", ([[[], []]],)),
        ("embed", (0, [])),
        ("save_pretrained", ("nowhere",)),
    ],
)
def test_before_fit(call: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(NotFittedError, match=rf"{call}\(\) needs a fitted associator: call fit\(\)"):
        getattr(Associator(), call)(*arguments)


def test_a_stream_before_fit() -> None:
    with pytest.raises(NotFittedError, match=r"associate_many\(\) needs a fitted associator"):
        next(Associator().associate_many([[[], []]]))


@pytest.mark.parametrize("name", ["views_", "encoder_", "tables_", "fit_report_"])
def test_what_is_learnt_before_fit(name: str) -> None:
    with pytest.raises(NotFittedError, match=rf"{name} is learnt: call fit\(\)"):
        getattr(Associator(), name)
    assert not hasattr(Associator(), name)


def test_an_attribute_that_there_is_not(associator: Associator) -> None:
    with pytest.raises(AttributeError, match="'Associator' object has no attribute 'veiws'"):
        associator.veiws  # noqa: B018


def test_fit_returns_itself_and_what_it_learnt() -> None:
    associator, recording = flat(seed=4), short()
    assert repr(associator) == "Associator(recipe='batch', seed=4, not fitted)"
    assert fit_quietly(associator, recording) is associator
    assert repr(associator) == "Associator(recipe='batch', seed=4, fitted on 3 views)"
    assert associator.views_ == recording.views
    assert set(associator.tables_ or {}) == {(0, 1), (0, 2), (1, 2)}
    assert associator.fit_report_.seconds > 0
    assert len(associator.fit_report_.pairs) == 3


def test_a_fit_that_fails_leaves_what_was_learnt(again: Associator) -> None:
    frame = scene(**LEARNABLE).frame(199)
    before = again.associate(frame)
    with pytest.raises(InputError):
        again.fit([(640, 480), (640, 480)], [[[], []]] * 20)
    assert_same(again.associate(frame), before)


def test_two_associators_share_nothing() -> None:
    """Interleaved, each gives what it gives alone."""
    recording, other_recording = short(), short(seed=8, views=2)
    one, other = fit_quietly(flat(), recording), fit_quietly(flat(seed=1), other_recording)
    alone = [one.associate(recording.frame(t)) for t in range(20, 25)]
    for t, wanted in enumerate(alone, start=20):
        other.associate(other_recording.frame(t))
        assert_same(one.associate(recording.frame(t)), wanted)
    fit_quietly(other, other_recording)
    assert_same(one.associate(recording.frame(20)), alone[0])
    assert other.views_ == other_recording.views


# What fit takes.


def fitted_weight(views: Any, boxes: Any = None) -> torch.Tensor:
    return fit_quietly(flat(), views, boxes).encoder_.layers[2].weight


def test_every_form_of_input_is_the_same_recording(tmp_path: Path) -> None:
    import pandas as pd

    recording = short()
    frames, views = frames_of(recording), recording.views
    wanted = fitted_weight(recording)
    assert torch.equal(fitted_weight(views, frames), wanted)
    assert torch.equal(fitted_weight([(1280, 720)] * 3, [list(frame.boxes) for frame in frames]), wanted)
    lists = [[boxes.tolist() or None for boxes in frame.boxes] for frame in frames]
    assert torch.equal(fitted_weight(views, lists), wanted)
    table = pd.DataFrame(
        [
            {"frame": frame.index, "view": view, "x1": x1, "y1": y1, "x2": x2, "y2": y2}
            for frame in frames
            for view, boxes in enumerate(frame.boxes)
            for x1, y1, x2, y2 in boxes
        ]
    )
    assert torch.equal(fitted_weight(views, table), wanted)
    table.to_csv(tmp_path / "boxes.csv", index=False)
    assert torch.equal(fitted_weight(views, tmp_path / "boxes.csv"), wanted)
    assert torch.equal(fitted_weight(views, str(tmp_path / "boxes.csv")), wanted)
    write_selfmva(tmp_path / "boxes.json", frames)
    # The format holds x, y, width, height: corners come back up to rounding.
    torch.testing.assert_close(fitted_weight(views, tmp_path / "boxes.json"), wanted, rtol=0, atol=1e-4)


def test_a_dataset_is_read_by_its_training_split_and_without_its_identities() -> None:
    class Recording:
        views, splits = scene().views, {"train": range(30), "test": range(30, 60)}
        asked: list[int] = []  # noqa: RUF012

        def __len__(self) -> int:
            return 60

        def frame(self, index: int) -> Frame:
            self.asked.append(index)
            return scene().frame(index)

        def identities(self, index: int) -> None:
            raise AssertionError("labels are not for fit")

    fit_quietly(flat(), Recording())
    assert Recording.asked == list(range(30))


def test_scores_change_nothing_and_tracks_the_floor_alone() -> None:
    recording = short(views=2)
    frames = frames_of(recording)
    scored = [Frame(f.boxes, f.index, [np.full(n, 0.5) for n in f.counts]) for f in frames]
    one, other = (
        fit_quietly(quick(), recording.views, each).encoder_.layers[2].weight  # with a search for the floor
        for each in (scored, frames)
    )
    assert torch.equal(one, other)
    tracked = [Frame(f.boxes, f.index, None, [np.arange(n) for n in f.counts]) for f in frames]
    assert torch.equal(fitted_weight(recording.views, tracked), fitted_weight(recording))


BOX = [0.0, 0.0, 50.0, 80.0]
TWO = [(640, 480), (640, 480)]


@pytest.mark.parametrize(
    ("views", "boxes", "message"),
    [
        ([], [[[], []]], "at least two views are needed.*got 0"),
        ([(640, 480)], [[[]]], "at least two views are needed.*got 1"),
        ([(640, -480), (640, 480)], [[[], []]], "height in pixels must be a whole number from 1 to 100000, got -480"),
        ([(640, 480), "nowhere.mp4"], [[[], []]], "view 1: nowhere.mp4 does not exist"),
        ([View("a", 9, 9), View("a", 9, 9)], [[[], []]], "two views are called 'a'"),
        (5, [[[], []]], "views must be a sequence"),
        (TWO, None, "needs boxes"),
        (TWO, 7, "boxes must be"),
        (TWO, [], "no box in any of the 0 instants"),
        (TWO, [[[], None]] * 9, "no box in any of the 9 instants"),
        (TWO, [[[BOX], []], [[BOX]]], "instant 1 has 1 views, but there are 2"),
        (TWO, [[[BOX], [[0, 0, np.nan, 5]]]], "instant 0, view 1, row 0: .*not finite"),
        (TWO, [[[BOX], [[0, 0, 5]]]], r"instant 0, view 1: boxes must have shape \(N, 4\)"),
        (TWO, [[[BOX], [BOX, [50, 60, 20, 90]]]], r"instant 0, view 1, row 1: .*corners \(x1, y1, x2, y2\)"),
        (TWO, [[[BOX], [[700, 0, 800, 90]]]], "instant 0, view 1 .*lies outside the image of 640 x 480"),
        (TWO, [[[BOX], [["a", 0, 800, 90]]]], "instant 0, view 1: boxes must be real numbers, got text"),
        (TWO, [Frame([[BOX], []], 4), Frame([[BOX], []], 3)], "in the order of time"),
        (TWO, [[[BOX], [BOX]]] * 5, "at least 5 apart, but only"),
    ],
)
def test_fit_refuses(views: Any, boxes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):  # InputError, or DataError for a file
        quick(on_bad_box="raise").fit(views, boxes)


def test_fit_refuses_boxes_beside_a_dataset(recording: Simulated) -> None:
    with pytest.raises(InputError, match="leave boxes out"):
        quick().fit(recording, frames_of(recording))


# Association.


@pytest.mark.parametrize("t", range(42, 60, 3))
def test_an_association_agrees_with_itself(associator: Associator, recording: Simulated, t: int) -> None:
    frame = recording.frame(t)
    association = associator.associate(frame)
    assert association.index == t
    assert association.calibrated
    assert [len(ids) for ids in association.ids] == list(frame.counts)
    assert sum(map(len, association.groups())) == sum(frame.counts)
    for i in range(3):
        assert association.ids[i].dtype == np.int64
        assert len(set(association.ids[i].tolist())) == frame.counts[i]
        for j in range(3):
            probability = association.probability(i, j)
            assert probability.shape == (frame.counts[i], frame.counts[j])
            assert probability.dtype == np.float64
            assert ((probability >= 0) & (probability <= 1)).all()
            np.testing.assert_array_equal(probability, association.probability(j, i).T)
            for row, column in association.matches(i, j):
                assert association.ids[i][row] == association.ids[j][column]


def test_what_it_learnt_is_right(learnt: Associator) -> None:
    """Two views of three people: most matches are right, and nearly certain ones nearly always."""
    recording = scene(**LEARNABLE)
    right, made = 0, 0
    for t in recording.splits["test"]:
        identities = recording.identities(t)
        matches = learnt.associate(recording.frame(t)).matches(0, 1)
        right += sum(identities[0][a] == identities[1][b] >= 0 for a, b in matches)
        made += len(matches)
    assert made > 20
    assert right / made > 0.7  # by chance: a third


NOBODY: list[Any] = [[[], [], []], [None, None, None], [np.zeros((0, 4))] * 3, Frame([[], [], []])]


@pytest.mark.parametrize("frame", NOBODY, ids=["lists", "None", "arrays", "Frame"])
def test_nobody(associator: Associator, frame: Any) -> None:
    association = associator.associate(frame)
    assert [ids.shape for ids in association.ids] == [(0,)] * 3
    assert association.groups() == []
    assert association.probability(0, 2).shape == (0, 0)
    assert "0 boxes in 3 views, 0 people" in repr(association)
    assert len(association.to_dataframe()) == 0


def test_people_in_one_view_only(associator: Associator) -> None:
    association = associator.associate([[], [BOX, [60, 0, 90, 80]], None])
    assert association.groups() == [{1: 0}, {1: 1}]
    assert association.probability(1, 2).shape == (2, 0)


def test_boxes_that_stick_out_are_clipped(associator: Associator) -> None:
    wide, clipped = [[-50.0, -9.0, 80.0, 900.0]], [[0.0, 0.0, 80.0, 720.0]]
    one, other = (associator.associate([boxes, [BOX], []]) for boxes in (wide, clipped))
    assert one.frame.boxes[0].tolist() == clipped
    assert_same(one, other)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([[], []], "instant 0 has 2 views, but there are 3"),
        ([[], [], [], []], "instant 0 has 4 views, but there are 3"),
        ([], "instant 0 has 0 views"),
        ([[[0, 0, np.nan, 4]], [], []], "view 0, row 0: .*not finite"),
        ([[], [[0, 0, 5, 5, 5]], []], r"view 1: boxes must have shape \(N, 4\)"),
        ([[], [], [[9, 9, 3, 3]]], "view 2, row 0"),
        ([[], [], [[2000, 9, 2003, 30]]], r"view 2 \('camera2'\), row 0: .*outside the image"),
        (7, "boxes must be a sequence"),
        ("boxes.csv", "boxes must be a sequence"),
    ],
)
def test_associate_refuses(associator: Associator, frame: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        copy.copy(associator).set_params(on_bad_box="raise").associate(frame)


def test_one_more_view_than_was_fitted_is_named(associator: Associator) -> None:
    with pytest.raises(InputError, match="camera0, camera1, camera2.*one entry per view"):
        associator.associate([[BOX]])


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_the_order_of_boxes_changes_only_labels(learnt: Associator, seed: int) -> None:
    recording, rng = scene(**LEARNABLE), np.random.default_rng(seed)
    frame = recording.frame(int(rng.integers(0, 200)))
    shuffled, orders = shuffle_boxes(frame, rng)
    one, other = learnt.associate(frame), learnt.associate(shuffled)
    assert partition(one) == partition(other)
    np.testing.assert_allclose(other.probability(0, 1), one.probability(0, 1)[np.ix_(orders[0], orders[1])], atol=1e-4)


def true_fraction(associator: Associator) -> float:
    """Of the embedding, in the first view pair."""
    assert associator.tables_ is not None
    return associator.tables_[0, 1].tables["embedding"].true_fraction


def assert_same_tables(one: Associator, other: Associator, order: tuple[int, ...]) -> None:
    """View k of the other is view order[k] of the one."""
    assert one.tables_ is not None
    assert other.tables_ is not None
    assert one.tables_.keys() == other.tables_.keys()
    for (i, j), table in other.tables_.items():
        own = one.tables_[min(order[i], order[j]), max(order[i], order[j])]
        assert table.weights == pytest.approx(own.weights, abs=1e-3)
        assert table.bias == pytest.approx(own.bias, abs=1e-2)
        assert table.tables.keys() == own.tables.keys()
        for name, cue in table.tables.items():
            np.testing.assert_allclose(cue.log_odds, own.tables[name].log_odds, atol=1e-3)
            np.testing.assert_allclose(cue.distances, own.tables[name].distances, rtol=1e-5)
            assert cue.true_fraction == pytest.approx(own.tables[name].true_fraction, abs=1e-4)


@pytest.mark.parametrize("order", [pytest.param((1, 0, 2), marks=pytest.mark.slow), (2, 0, 1)])
def test_the_order_of_cameras_changes_only_labels(
    recording: Simulated, associator: Associator, order: tuple[int, ...]
) -> None:
    """In fit and in associate: the same tables, report and people. (Weights: see test_fit_encoder.py.)"""
    rng = np.random.default_rng(1)
    frames = [reorder_cameras(shuffle_boxes(frame, rng)[0], order) for frame in frames_of(recording)]
    other = fit_quietly(quick(), [recording.views[view] for view in order], frames)
    assert_same_tables(associator, other, order)
    accuracy = associator.fit_report_.synchronization_accuracy
    assert other.fit_report_.synchronization_accuracy == pytest.approx(accuracy, abs=1e-12, nan_ok=True)
    for frame in frames_of(recording, "test"):
        assert partition(associator.associate(frame)) == partition(other.associate(reorder_cameras(frame, order)))


def test_the_order_of_cameras_changes_only_labels_where_something_was_learnt(learnt: Associator) -> None:
    recording = scene(**LEARNABLE)
    one, other = copy.deepcopy(learnt), copy.deepcopy(learnt)
    other.encoder_.reorder_views([1, 0])
    other.views_ = (recording.views[1], recording.views[0])
    assert one.floor_ is not None
    other.floor_ = replace(one.floor_, views=one.floor_.views[::-1], cameras=one.floor_.cameras[::-1])
    frames = [recording.frame(t) for t in range(200)]
    one.adapt(frames)
    other.adapt([reorder_cameras(frame, [1, 0]) for frame in frames])
    assert_same_tables(one, other, (1, 0))
    assert one.tables_ is not None
    assert true_fraction(one) > 0.1
    for frame in frames[:40]:
        assert partition(one.associate(frame)) == partition(other.associate(reorder_cameras(frame, [1, 0])))


# Streams.


def test_a_stream_is_its_frames(learnt: Associator) -> None:
    recording = scene(**LEARNABLE)
    frames = [recording.frame(t) for t in range(100, 100 + STREAM_CHUNK.frames + 20)]
    frames[3], frames[70] = Frame([[], []], 103), Frame([[], []], 170)
    many = list(learnt.associate_many(frames))
    assert len(many) == len(frames)
    for frame, association in zip(frames, many, strict=True):
        assert_same(association, learnt.associate(frame))


def test_two_threads_say_the_same(learnt: Associator) -> None:
    recording = scene(**LEARNABLE)
    frames = [recording.frame(t % 200) for t in range(3 * STREAM_CHUNK.frames)]
    for one, other in zip(learnt.associate_many(frames), learnt.associate_many(frames, threads=2), strict=True):
        assert_same(one, other)


def test_a_stream_numbers_what_has_no_number(associator: Associator) -> None:
    stream = associator.associate_many([[[BOX], [], []], Frame([[], [BOX], []], 40), [[], [], [BOX]]])
    assert [association.index for association in stream] == [0, 40, 2]


def test_an_empty_stream(associator: Associator) -> None:
    assert list(associator.associate_many([])) == []


def test_a_stream_takes_no_more_than_it_needs(associator: Associator, recording: Simulated) -> None:
    """It may be endless: memory is bounded by a chunk."""
    taken: list[int] = []

    def endless() -> Iterator[Frame]:
        while True:
            taken.append(len(taken))
            yield recording.frame(taken[-1] % 60)

    stream = associator.associate_many(endless())
    assert taken == []  # nothing before the first is asked for
    for number in range(3 * STREAM_CHUNK.frames):
        association = next(stream)
        assert association.index == number % 60
        assert len(taken) <= number + STREAM_CHUNK.frames


def test_a_crowd_makes_shorter_chunks(associator: Associator) -> None:
    taken: list[int] = []
    crowd = [[[k, 0, k + 30, 60] for k in range(0, 600, 4)]] * 3

    def crowded() -> Iterator[Any]:
        for number in range(10):
            taken.append(number)
            yield crowd

    stream = associator.associate_many(crowded())
    next(stream)
    assert len(taken) <= 3


def test_a_stream_names_the_frame_that_is_wrong(associator: Associator) -> None:
    strict = copy.copy(associator).set_params(on_bad_box="raise")
    with pytest.raises(InputError, match="instant 1, view 2, row 0"):
        list(strict.associate_many([[[], [], []], [[], [], [[5, 5, 1, 1]]]]))


# Embeddings.


def test_embed(associator: Associator) -> None:
    boxes = np.array([BOX, [100, 100, 150, 200], [-20, -20, 30, 30]])
    embeddings = associator.embed(1, boxes)
    assert (embeddings.shape, embeddings.dtype) == ((3, 768), np.float32)
    with torch.inference_mode():
        wanted = associator.encoder_(torch.tensor(boxes, dtype=torch.float32), torch.full((3,), 1))
    np.testing.assert_allclose(embeddings, wanted, atol=1e-5)  # another number of threads rounds otherwise
    assert associator.embed(2, []).shape == (0, 768)
    assert not np.array_equal(associator.embed(0, boxes), embeddings)


@pytest.mark.parametrize(
    ("view", "boxes", "message"),
    [(3, [BOX], "no view 3; views are 0 to 2"), (-1, [BOX], "no view -1"), (1, [[5, 5, 1, 1]], "view 1, row 0")],
)
def test_embed_refuses(associator: Associator, view: int, boxes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        associator.embed(view, boxes)


# Whether anything was learnt, and adapting.


def test_a_good_fit_says_so(learnt: Associator) -> None:
    report = learnt.fit_report_
    assert report.better_than_chance
    assert report.held_out
    assert report.synchronization_accuracy > 0.7
    assert "better than chance (50%)" in repr(report)
    assert "camera0 | camera1 | floor" in repr(report)


def test_a_fit_that_learnt_nothing_says_so_and_joins_nobody() -> None:
    recording = scene(instants=120, unrelated_views=True)
    associator = quick(recipe_options={"steps": 40, "instants": 8})
    with pytest.warns(LearntNothingWarning, match=r"fit\(\) learnt nothing that could be told from chance"):
        associator.fit(recording)
    assert not associator.fit_report_.better_than_chance
    for t in recording.splits["validation"]:
        sizes = [len(person) for person in associator.associate(recording.frame(t)).groups()]
        assert max(sizes, default=1) <= 2


def test_people_in_one_view_only_teach_nothing() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 400, (60, 1, 2))
    boxes = [[np.concatenate((corner, corner + 60), axis=1), []] for corner in corners]
    with pytest.warns(LearntNothingWarning, match="no two views show people at the same instant"):
        associator = quick().fit(TWO, boxes)
    assert associator.associate([boxes[0][0], [BOX]]).groups() == [{0: 0}, {1: 0}]


def test_adapt_learns_what_distances_mean_and_leaves_the_embedding(again: Associator) -> None:
    """The same cameras with another detector: half the boxes are missed."""
    other = scene(**LEARNABLE | {"miss_rate": 0.5})
    before, report = again.embed(0, [BOX]), again.fit_report_
    before_fraction = true_fraction(again)
    assert again.adapt([other.frame(t) for t in range(200)]) is again
    np.testing.assert_array_equal(again.embed(0, [BOX]), before)
    assert again.fit_report_ is not report
    # Misses take true pairs and others alike.
    assert true_fraction(again) != before_fraction
    assert true_fraction(again) == pytest.approx(before_fraction, abs=0.1)
    assert again.fit_report_.instants == 200


@pytest.mark.parametrize("kind", ["unrelated", "shuffled", "nobody", "none", "short"])
def test_adapt_to_nonsense_changes_nothing(again: Associator, kind: str) -> None:
    rng = np.random.default_rng(0)
    frames = [scene(**LEARNABLE).frame(t) for t in range(100)]
    boxes: Any = {
        "unrelated": [scene(**LEARNABLE | {"unrelated_views": True, "seed": 77}).frame(t) for t in range(100)],
        "shuffled": [
            Frame([frame.boxes[0], frames[k].boxes[1]], frame.index)
            for frame, k in zip(frames, rng.permutation(100), strict=True)
        ],
        "nobody": [[[], []]] * 20,
        "none": [],
        "short": frames[:2],
    }[kind]
    tables, report = again.tables_, again.fit_report_
    # Strangers contradict what was learnt; the others say nothing.
    expected = RigChangedWarning if kind == "unrelated" else LearntNothingWarning
    with pytest.warns(expected, match=r"adapt\(\) changed nothing"):
        again.adapt(boxes)
    assert again.tables_ is tables
    assert again.fit_report_ is report


def test_adapt_refuses_what_fit_refuses(again: Associator) -> None:
    with pytest.raises(InputError, match="instant 0 has 3 views, but there are 2"):
        again.adapt([[[], [], []]])


@pytest.mark.slow
def test_four_minutes_of_cameras_that_see_other_people_are_told() -> None:
    """What was seen a second before and after must not pass for synchronization."""
    believed = []
    for views, seed in ((2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)):
        recording = scene(views=views, people=4, instants=600, seed=seed, unrelated_views=True)
        associator = fit_quietly(Associator(recipe={"name": "batch", "steps": 300}), recording)
        believed.append(associator.fit_report_.better_than_chance)
    assert sum(believed) <= 1  # chance passes now and then


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_good_recording_fits_without_a_warning_in_any_seed(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Associator(recipe=ENOUGH, seed=seed).fit(scene(**LEARNABLE | {"seed": seed}))


def test_set_params_changes_the_threshold_and_keeps_what_was_learnt() -> None:
    associator, recording = fitted_on_a_floor()
    frame = recording.frame(245)
    changed = copy.copy(associator).set_params(association={"threshold": 0.999})
    assert changed.get_params() == associator.get_params() | {"association": AssociationConfig(threshold=0.999)}
    one, other = (each.associate(frame) for each in (associator, changed))
    for pair, probability in one.probabilities.items():
        np.testing.assert_array_equal(probability, other.probabilities[pair])
    assert len(other.matches(0, 1)) < len(one.matches(0, 1))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"treshold": 0.9}, "treshold is unknown; known are"),
        ({"association": {"threshold": 2}}, "threshold"),
        ({"recipe": "cake"}, "cake"),
    ],
)
def test_set_params_that_are_none(params: dict[str, Any], message: str) -> None:
    associator = Associator()
    before = associator.get_params()
    with pytest.raises(ConfigError, match=message):
        associator.set_params(**params)
    assert associator.get_params() == before
