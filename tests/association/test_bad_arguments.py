"""Every argument of the associator that is none ends in a clear error of the library, before the work."""

from __future__ import annotations

import copy
import pickle
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_scenes import fit_quietly, flat, frames_of, quick, scene, short

from selfmva import Associator, Frame, View, evaluate
from selfmva.core.config import GeometryRecipe
from selfmva.datasets.simulated import Simulated
from selfmva.errors import ConfigError, InputError, LearntNothingWarning, NotFittedError, SelfMVAError
from selfmva.geometry.align_frames import align_frames
from selfmva.hub import Card, convert_upstream, export_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

    from selfmva.training.callbacks import StepState

VIEWS = [View(name, 1280, 720) for name in ("door", "window", "hall")]
BOX = [[10.0, 20.0, 30.0, 80.0]]
NO_PATHS = [None, 3, b"x", "", "a\0b", "x" * 5000, "\ud800", ["x"]]


def each(*values: Any) -> list[Any]:
    """Parameters by number: some of them have no text."""
    return [pytest.param(value, id=f"{number}-{type(value).__name__}") for number, value in enumerate(values)]


@cache
def fitted() -> Associator:
    """Of three views, with an embedding; not to be changed."""
    return Associator.from_pretrained("mvor")


def boxes_of_fitted() -> list[list[list[float]]]:
    return [BOX for _ in fitted().views_]


class TestHyperParameters:
    @pytest.mark.parametrize(
        "values",
        each(
            {"threads": 0},
            {"threads": True},
            {"threads": "2"},
            {"threads": 2.0},
            {"threads": 10**9},
            {"threads": 10**5000},
            {"seed": -1},
            {"seed": 2**70},
            {"seed": "0"},
            {"seed": 1.5},
            {"seed": float("nan")},
            {"device": 3},
            {"device": b"cpu"},
            {"precision": "float16"},
            {"precision": 32},
            {"encoder": 3},
            {"encoder": "box"},
            {"recipe": 3},
            {"recipe": "batches"},
            {"recipe": {"steps": 3, "name": None}},
            {"recipe": {"name": "batch", 3: 4}},
            {"recipe": {"name": ["batch"]}},
            {"recipe": {"name": "batch", "temperature": float("inf")}},
            {"recipe": {"name": "batch", "temperature": float("nan")}},
            {"recipe": {"name": "batch", "temperature": 1e-300}},
            {"recipe": {"name": "batch", "learning_rate": float("inf")}},
            {"recipe": {"name": "batch", "learning_rate": 1e30}},
            {"recipe": {"name": "batch", "learning_rate": True}},
            {"recipe": {"name": "batch", "instants": 10**12}},
            {"recipe": {"name": "batch", "boxes": 10**12}},
            {"recipe": {"name": "batch", "steps": 10**12}},
            {"recipe": {"name": "batch", "steps": "12"}},
            {"recipe": {"name": "batch", "reprojection": "no"}},
            {"recipe": {"name": "batch", "reprojection": 0}},
            {"recipe": {"name": "batch", "anchor_view": 1.0}},
            {"recipe": {"name": "batch", "minimum_shift": 10**12}},
            {"recipe": {"name": "published", "epochs": 10**12}},
            {"recipe": {"name": "published", "margin": float("inf")}},
            {"geometry": {"floor": "yes"}},
            {"geometry": {"clock_bound": 10**12}},
            {"geometry": []},
            {"appearance": 3},
            {"appearance": {"encoder": 3}},
            {"appearance": "\ud800"},
            {"association": {"threshold": "0.5"}},
            {"association": {"threshold": float("nan")}},
            {"association": 0.5},
        ),
    )
    def test_what_is_none(self, values: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match=next(iter(values))):
            Associator(**values)
        associator = Associator()
        before = associator.get_params()
        with pytest.raises(ConfigError, match=next(iter(values))):
            associator.set_params(**values)
        assert associator.get_params() == before

    def test_scalars_of_numpy_are_what_they_hold(self) -> None:
        given = Associator(
            seed=np.int64(3), threads=np.uint8(2), association={"threshold": np.float32(0.5)}
        ).get_params()
        plain = Associator(seed=3, threads=2, association={"threshold": 0.5}).get_params()
        assert given == plain
        assert type(given["seed"]) is int

    @pytest.mark.parametrize(
        "device", each(None, 3, "", "gpu", "cuda:x", "cpu:-1", "meta", b"cpu", ["cpu"], "x" * 10**6)
    )
    def test_a_device_that_is_none(self, device: Any) -> None:
        with pytest.raises(ConfigError, match="^device: expected 'cpu', 'cuda', 'cuda:N' or 'auto', got "):
            Associator.from_pretrained("wildtrack", device=device)

    @pytest.mark.parametrize("at", [3, 12])  # on the way, and at its end
    def test_a_training_that_goes_astray_says_so(self, at: int) -> None:
        def spoil(state: StepState) -> None:
            if state.step == at:
                state.encoder.layers[0].weight.data.fill_(np.nan)

        with pytest.raises(ConfigError, match=r"no numbers any more: lower recipe\.learning_rate"):
            flat().fit(short(), callbacks=[spoil])


class TestBeforeFit:
    @pytest.mark.parametrize(
        "call",
        [
            lambda a: a.associate([BOX] * 3),
            lambda a: list(a.associate_many([[BOX] * 3])),
            lambda a: a.adapt([[BOX] * 3]),
            lambda a: a.embed(0, BOX),
            lambda a: a.save_pretrained("x"),
            lambda a: a.views_,
            lambda a: evaluate(a, scene()),
            lambda a: export_onnx(a, "x.onnx"),
        ],
    )
    def test_it_says_what_to_call(self, call: Callable[[Associator], Any]) -> None:
        with pytest.raises(NotFittedError, match=r"call fit\(\) or Associator.from_pretrained\(\) first"):
            call(Associator())

    def test_an_attribute_that_there_is_not(self) -> None:
        for associator in (Associator(), fitted()):
            with pytest.raises(SelfMVAError, match="no attribute 'floors_'; did you mean 'floor_'") as caught:
                associator.floors_  # noqa: B018
            assert isinstance(caught.value, AttributeError)
            assert not hasattr(associator, "nosuch")
            assert getattr(associator, "nosuch", 3) == 3
        assert copy.copy(Associator()).get_params() == Associator().get_params()
        assert pickle.loads(pickle.dumps(Associator())).get_params() == Associator().get_params()  # noqa: S301


class TestFit:
    @pytest.mark.parametrize("progress", each(5, "bar", True, []))
    def test_progress(self, progress: Any) -> None:
        with pytest.raises(InputError, match="^progress must be a function"):
            flat().fit(short(), progress=progress)

    @pytest.mark.parametrize("callbacks", each(5, "all", [3], print, [None], True))
    def test_callbacks(self, callbacks: Any) -> None:
        with pytest.raises(InputError, match="^callbacks must be"):
            flat().fit(short(), callbacks=callbacks)

    def test_none_of_them_is_nobody(self) -> None:
        fit_quietly(flat(), short(), progress=None, callbacks=None)

    def test_callbacks_that_can_be_gone_through_once_are_called_at_every_step(self) -> None:
        steps: list[int] = []
        fit_quietly(flat(), short(), callbacks=(call for call in [lambda state: steps.append(state.step)]))
        assert steps == list(range(1, 13))

    @pytest.mark.parametrize("watch", ["progress", "callbacks"])
    def test_what_a_callback_raises_is_raised(self, watch: str) -> None:
        def fail(*_: Any) -> None:
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            flat().fit(short(), **{watch: fail if watch == "progress" else [fail]})

    @pytest.mark.parametrize("checkpoint", each(*NO_PATHS[1:], "y" * 300, "y" * 256))
    def test_a_checkpoint_that_is_no_path(self, checkpoint: Any) -> None:
        with pytest.raises(InputError, match="^checkpoint must be a path"):
            Associator(recipe="geometry").fit(short(), checkpoint=checkpoint)

    def test_a_checkpoint_that_cannot_be_written_is_told_before_the_work(self, tmp_path: Path) -> None:
        seen: list[str] = []
        for path, why in ((tmp_path, "is a folder"), (tmp_path / "no" / "such", "make .* first")):
            with pytest.raises(SelfMVAError, match=why):
                flat().fit(short(), checkpoint=path, progress=lambda task, *_: seen.append(task))
        assert not seen

    @pytest.mark.parametrize("resume", each(None, "no", 0, 1))
    def test_resume(self, resume: Any) -> None:
        with pytest.raises(InputError, match="^resume must be True or False"):
            flat().fit(short(), resume=resume)

    @pytest.mark.parametrize(
        "boxes",
        each(
            3,
            b"boxes.csv",
            "",
            "x" * 5000 + ".csv",
            "a\0.csv",
            {0: [BOX]},
            {"door": [BOX]},
            [3],
            ["door"],
            [None],
            [[BOX] * 2],
            [[BOX, BOX, [[1j, 2, 3, 4]]]],
            [Frame([BOX] * 3, 5), Frame([BOX] * 3, 5)],
            [Frame([BOX] * 3, 5), Frame([BOX] * 3, 4)],
            [Frame([BOX] * 3, 5), Frame([BOX] * 2, 6)],
        ),
    )
    def test_boxes(self, boxes: Any) -> None:
        with pytest.raises(SelfMVAError):
            quick("batch").fit(VIEWS, boxes)
        with pytest.raises(SelfMVAError):
            Associator.from_pretrained("mvor").adapt(boxes)

    @pytest.mark.parametrize("boxes", each([], [[None] * 3], [[[]] * 3] * 9))
    def test_nobody(self, boxes: Any) -> None:
        with pytest.raises(InputError, match="there is no box"):
            quick("batch").fit(VIEWS, boxes)
        with pytest.warns(LearntNothingWarning, match="changed nothing"):
            Associator.from_pretrained("mvor").adapt(boxes)

    @pytest.mark.parametrize(
        "views",
        each(
            None,
            3,
            "door",
            b"door",
            [],
            [(1280, 720)],
            [(1280, 720), (1280.0, 720)],
            [(1280, 720), (1280, None)],
            [(1280, 720), (1280, -720)],
            [(1280, 720), ("1280", "720")],
            [(1280, 720), 3],
            [(1280, 720), ""],
            [(1280, 720), "a\0"],
            [(1280, 720), "x" * 5000],
            [(1280, 720), np.zeros((2, 4, 4, 3))],
            [VIEWS[0], VIEWS[0]],
            {"door": (1280, 720), "hall": (1280, 720)},
            (size for size in [(1280, 720)] * 2),
        ),
    )
    def test_views(self, views: Any) -> None:
        with pytest.raises(SelfMVAError):
            quick("batch").fit(views, [[BOX, BOX]] * 20)

    def test_boxes_of_a_dataset_and_others(self) -> None:
        with pytest.raises(InputError, match="leave boxes out"):
            quick("batch").fit(scene(), [[BOX] * 3] * 20)


class TestCalls:
    @pytest.mark.parametrize(
        "frame",
        each(None, 3, "door", b"door", {0: BOX}, {1.0}, [BOX], [BOX] * 4, [[1, 2, 3, 4]] * 3, [3, BOX, BOX], object()),
    )
    def test_associate(self, frame: Any) -> None:
        with pytest.raises(InputError):
            fitted().associate(frame)
        with pytest.raises(InputError):
            list(fitted().associate_many([frame]))

    @pytest.mark.parametrize(
        "frames", each(None, 3, "boxes.csv", Path("x"), b"x", {}, {0: [BOX] * 3}, Frame([BOX] * 3))
    )
    def test_associate_many(self, frames: Any) -> None:
        with pytest.raises(InputError, match="^frames must be"):
            list(fitted().associate_many(frames))

    def test_a_dataset_is_no_stream(self) -> None:
        with pytest.raises(InputError, match="^frames must be an iterable, got a dataset"):
            list(fitted().associate_many(scene()))

    @pytest.mark.parametrize("threads", each("2", 1.5, 0, -1, True, 10**9, np.nan, [2]))
    def test_threads(self, threads: Any) -> None:
        with pytest.raises(InputError, match="^threads must be a whole number from 1 to 1024"):
            list(fitted().associate_many([boxes_of_fitted()], threads=threads))

    @pytest.mark.parametrize("view", each(None, "door", 0.0, 1.5, np.nan, True, -1, 3, [0], slice(1), 10**5000))
    def test_a_view_that_is_none(self, view: Any) -> None:
        association, floor = fitted().associate(boxes_of_fitted()), Associator.from_pretrained("wildtrack").floor_
        assert floor is not None
        wrong = 7 if view == 3 else view
        calls = [
            lambda: fitted().embed(view, BOX),
            lambda: association.probability(view, 0),
            lambda: association.probability(0, view),
            lambda: association.matches(view, view),
            lambda: floor.place(wrong, [[1, 2]]),
            lambda: floor.trusted(0, wrong),
            lambda: floor.homography(wrong, 0),
            lambda: floor.with_length(wrong, (600, 500), (700, 500), 1),
        ]
        for call in calls:
            with pytest.raises(InputError, match="^there is no view "):
                call()

    @pytest.mark.parametrize("boxes", each(3, "x", [[1, 2, 3]], [[np.nan, 2, 3, 4]], [[1j, 2, 3, 4]], {}))
    def test_embed(self, boxes: Any) -> None:
        with pytest.raises(InputError, match="^instant 0, view 1"):
            fitted().embed(1, boxes)

    @pytest.mark.parametrize("pixels", each(None, "x", [[1, 2, 3]], [1], [[1j, 2]], [[None, 2]], np.zeros((2, 2, 3))))
    def test_places_of_what_are_no_pixels(self, pixels: Any) -> None:
        floor = Associator.from_pretrained("wildtrack").floor_
        assert floor is not None
        with pytest.raises(InputError, match="pixels"):
            floor.place(0, pixels)

    @pytest.mark.parametrize(
        ("start", "end", "length"),
        [
            ((600, 500), (700, 500), None),
            ((600, 500), (700, 500), "2"),
            ((600, 500), (700, 500), True),
            ((600, 500), (700, 500), np.inf),
            ((600, 500, 3), (700, 500, 3), 2.0),
            ((600,), (700,), 2.0),
            (None, (700, 500), 2.0),
            ("ab", (700, 500), 2.0),
            ((np.nan, 500), (700, 500), 2.0),
        ],
    )
    def test_a_length_that_is_none(self, start: Any, end: Any, length: Any) -> None:
        floor = Associator.from_pretrained("wildtrack").floor_
        assert floor is not None
        with pytest.raises(InputError):
            floor.with_length(0, start, end, length)

    @pytest.mark.parametrize("offsets", each(None, 3, "ab", [0, 1.5], [0, np.nan], [0], [0, 1, 2], [0, "1"], [0, None]))
    def test_offsets_that_are_none(self, offsets: Any) -> None:
        with pytest.raises(InputError, match="offsets"):
            align_frames([Frame([BOX, BOX], t) for t in range(5)], offsets)

    @pytest.mark.parametrize("frames", each(None, 3, [BOX], "ab", Frame([BOX])))
    def test_what_cannot_be_aligned(self, frames: Any) -> None:
        with pytest.raises(InputError, match="^frames must be a sequence with selfmva.Frame"):
            align_frames(frames, [0, 1])


class TestFolders:
    @pytest.mark.parametrize("folder", each(*NO_PATHS, "x" * 256))
    def test_no_path(self, folder: Any) -> None:
        for call in (
            lambda: fitted().save_pretrained(folder),
            lambda: export_onnx(fitted(), folder),
        ):
            with pytest.raises(InputError, match="must be a path"):
                call()

    @pytest.mark.parametrize("name", each(*NO_PATHS))
    def test_no_name(self, name: Any) -> None:
        with pytest.raises(InputError, match="must be a path"):
            Associator.from_pretrained(name)
        with pytest.raises(InputError, match="must be a path"):
            convert_upstream(name, [(640, 480)] * 3)

    @pytest.mark.parametrize(
        "card",
        each(
            3,
            "title",
            [],
            {"title": 3},
            {"title": None},
            {"titel": "x"},
            {"title": "\ud800"},
            {"notes": "\udfff"},
            {"metrics": {"f1": float("nan")}},
            {"metrics": {"f1": float("inf")}},
            {"metrics": {"f1": "0.9"}},
            {"metrics": {"f1": True}},
            {"metrics": {"\ud800": 0.9}},
            {"metrics": {3: 0.9}},
            {"metrics": [0.9]},
            {3: "x"},
        ),
    )
    def test_a_card_that_is_none(self, card: Any, tmp_path: Path) -> None:
        with pytest.raises(ConfigError):
            fitted().save_pretrained(tmp_path / "model", card=card)
        assert not (tmp_path / "model").exists()

    def test_a_card_of_numpy_figures(self, tmp_path: Path) -> None:
        associator = Associator.from_pretrained("mvor")
        associator.save_pretrained(tmp_path, card=Card(metrics={"f1": 0.5}))
        associator.save_pretrained(tmp_path, card={"metrics": {"f1": np.float64(0.5), "pairs": 3}})
        assert Associator.from_pretrained(tmp_path).card_.metrics == {"f1": 0.5, "pairs": 3.0}

    @pytest.mark.parametrize("precision", each(None, 16, "float64", ["float16"], {}))
    def test_a_precision_that_is_none(self, precision: Any, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="^precision must be one of"):
            fitted().save_pretrained(tmp_path / "model", precision=precision)

    @pytest.mark.parametrize("associator", each(None, 3, "wildtrack", Associator, GeometryRecipe()))
    def test_no_associator(self, associator: Any) -> None:
        for call in (lambda: export_onnx(associator, "x.onnx"), lambda: evaluate(associator, scene())):
            with pytest.raises(InputError, match="needs a fitted Associator, got"):
                call()


class TestEvaluate:
    def test_images_of_other_sizes(self) -> None:
        with pytest.raises(InputError, match="the dataset has images of sizes .* the associator was fitted on"):
            evaluate(Associator.from_pretrained("wildtrack"), Simulated(views=7, people=2, instants=30))

    @pytest.mark.parametrize(
        "dataset", each(None, 3, "wildtrack", {}, [3], [(1, 2, 3)], [Frame([BOX] * 3)], [([BOX], [[1]])], [None])
    )
    def test_what_is_no_dataset(self, dataset: Any) -> None:
        with pytest.raises(InputError, match=r"evaluate\(\) needs"):
            evaluate(fitted(), dataset)

    @pytest.mark.parametrize(
        "identities", each(None, 3, "abc", ["a", "b", "c"], [[1], [2]], [[1.5], [2], [3]], [[None]] * 3)
    )
    def test_identities_that_are_none(self, identities: Any) -> None:
        with pytest.raises(InputError, match="^instant 4: identities must"):
            evaluate(fitted(), [(Frame(boxes_of_fitted(), 4), identities)])

    @pytest.mark.parametrize(
        "options",
        each(
            {"split": None},
            {"split": ["test"]},
            {"split": "tests"},
            {"protocol": None},
            {"protocol": ["calibrated"]},
            {"similarity_threshold": "0.5"},
            {"similarity_threshold": np.nan},
            {"similarity_threshold": 2},
        ),
    )
    def test_options(self, options: dict[str, Any]) -> None:
        views = [(view.width, view.height) for view in fitted().views_]
        dataset = Simulated(views=3, width=views[0][0], height=views[0][1], instants=20)
        with pytest.raises(InputError, match=next(iter(options))):
            evaluate(fitted(), dataset, **options)


@pytest.mark.parametrize(
    "options",
    each(
        {"views": "3"},
        {"views": 3.0},
        {"views": True},
        {"views": 0},
        {"people": None},
        {"instants": 10**12},
        {"instants": 10**5, "views": 32, "people": 200},
        {"seed": -1},
        {"seed": 10**5000},
        {"jitter": np.nan},
        {"standing": "no"},
        {"clothes": np.inf},
        {"nosuch": 1},
    ),
)
def test_options_of_a_simulation(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        Simulated(**options)


@pytest.mark.parametrize("index", each(None, "3", 1.0, 1.5, True, -1, 60, 10**30, [0], np.nan))
def test_instants_that_a_simulation_has_not(index: Any) -> None:
    for ask in (scene().frame, scene().identities, scene().ground_positions):
        with pytest.raises(InputError, match=re.escape("whole number from 0 to 59")) as caught:
            ask(index)
        assert isinstance(caught.value, IndexError)
    assert scene().frame(np.int64(3)).index == 3
    assert frames_of(scene())[3].index == 3
