"""Whole trainings, short ones: seeds, precisions, prompts, who watches, and that they learn."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from small_scenes import fit_quietly, flat, frames_of, quick, reorder_cameras, scene, short, shuffle_boxes
from true_floors import true_floor

from selfmva.association.associator import Associator
from selfmva.core.config import AssociatorConfig, BatchRecipe, PublishedRecipe
from selfmva.core.devices import find_device
from selfmva.errors import ConfigError, InputError
from selfmva.training.callbacks import StepState
from selfmva.training.fit_encoder import fit_encoder
from selfmva.training.loop import Watch

if TYPE_CHECKING:
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.geometry.floor import Floor
    from selfmva.training.pseudo_labels import Consensus

RECIPES = ["batch", "published"]


def weights(associator: Associator) -> dict[str, torch.Tensor]:
    return associator.encoder_.state_dict()


@cache
def plain(recipe: str) -> Associator:
    """What others are compared with; not to be changed."""
    return fit_quietly(flat(recipe), short())


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_seed_decides_everything(recipe: str) -> None:
    torch.manual_seed(0)
    one = weights(fit_quietly(flat(recipe, seed=1), short()))
    torch.manual_seed(1)
    np.random.seed(5)  # noqa: NPY002  # the global generator is what must not matter
    assert_equal(one, weights(fit_quietly(flat(recipe, seed=1), short())))
    assert not torch.equal(one["layers.0.weight"], weights(plain(recipe))["layers.0.weight"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_fit_leaves_the_callers_randomness_alone(recipe: str) -> None:
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index,union-attr]  # noqa: NPY002
    fit_quietly(flat(recipe), short())
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize("recipe", RECIPES)
def test_fit_gives_back_the_callers_threads(recipe: str) -> None:
    before = torch.get_num_threads()
    inside: list[int] = []
    fit_quietly(flat(recipe, threads=1), short(), callbacks=[lambda _: inside.append(torch.get_num_threads())])
    assert set(inside) == {1}
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("recipe", "order"), [("published", (1, 2, 0)), *(("batch", order) for order in permutations(range(3)))]
)
def test_the_order_of_cameras_and_boxes_changes_no_weight(recipe: str, order: tuple[int, ...]) -> None:
    """All orders: some of them are their own inverse, and would not show which way round they are applied."""
    recording, rng = short(), np.random.default_rng(0)
    shuffled = [reorder_cameras(shuffle_boxes(frame, rng)[0], order) for frame in frames_of(recording)]
    one = weights(plain(recipe))
    other = weights(fit_quietly(flat(recipe), [recording.views[view] for view in order], shuffled))
    for name, value in one.items():
        wanted = value
        if name == "view_tokens":
            wanted = value[list(order)]
        elif name.startswith("decoder"):
            wanted = value.view(3, -1)[list(order)].view_as(value)
        assert torch.equal(other[name], wanted), name


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_order_of_cameras_does_not_move_a_fixed_anchor(recipe: str) -> None:
    """View 1 by name, wherever it stands in the list."""
    recording, order = short(), (1, 2, 0)
    shuffled = [reorder_cameras(frame, order) for frame in frames_of(recording)]
    one = fit_quietly(flat(recipe, recipe_options={"anchor_view": 1}), recording)
    other = fit_quietly(
        flat(recipe, recipe_options={"anchor_view": 0}), [recording.views[view] for view in order], shuffled
    )
    assert torch.equal(weights(one)["layers.0.weight"], weights(other)["layers.0.weight"])
    assert not torch.equal(weights(one)["layers.0.weight"], weights(plain(recipe))["layers.0.weight"])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    "options",
    [{"precision": "bfloat16"}, {"encoder": {"prompt": "point"}}, {"recipe_options": {"reprojection": False}}],
    ids=["bfloat16", "point", "no re-projection"],
)
def test_variants_run_and_differ(recipe: str, options: dict[str, Any]) -> None:
    recording = short()
    one = fit_quietly(flat(recipe, **options), recording)
    embeddings = one.embed(0, recording.frame(0).boxes[0])
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()
    assert weights(one)["layers.0.weight"].dtype == torch.float32
    assert not torch.equal(weights(one)["layers.0.weight"], weights(plain(recipe))["layers.0.weight"])
    association = one.associate(recording.frame(25))
    assert len(association.ids) == 3


@pytest.mark.parametrize("recipe", RECIPES)
def test_bfloat16_is_near_float32(recipe: str) -> None:
    """A few steps from the same start with rounded products; a bug would be far off."""
    start = flat(recipe, recipe_options={"learning_rate": 1e-12})
    before = weights(fit_quietly(start, short()))["layers.1.weight"]
    half = weights(fit_quietly(flat(recipe, precision="bfloat16"), short()))["layers.1.weight"]
    full = weights(plain(recipe))["layers.1.weight"]
    moved, off = (full - before).norm(), (half - full).norm()
    assert moved > 0
    assert off < 0.5 * moved


@pytest.mark.parametrize("recipe", RECIPES)
def test_who_watches(recipe: str) -> None:
    told: list[tuple[str, int, int]] = []
    first: list[StepState] = []
    second: list[int] = []
    fit_quietly(
        quick(recipe),
        short(),
        progress=lambda *done: told.append(done),
        callbacks=[first.append, lambda state: second.append(state.step)],
    )
    steps = first[0].steps
    assert steps == (12 if recipe == "batch" else len(short().splits["train"]))
    assert [state.step for state in first] == second == list(range(1, steps + 1))
    views = len(short().views)
    calibrated = [done for done in told if done[0] == "calibrate"]
    assert told == calibrated + [("fit", step, steps) for step in range(1, steps + 1)]
    # Views are registered one by one, and those that were not are tried once more.
    assert all(1 <= registered <= total == views for _, registered, total in calibrated)
    assert all(state.loss is None or np.isfinite(state.loss) for state in first)
    assert all(state.learning_rate > 0 for state in first)


def test_an_exception_of_a_callback_stops_the_training() -> None:
    def stop(state: StepState) -> None:
        if state.step == 3:
            raise RuntimeError("enough")

    associator = flat()
    with pytest.raises(RuntimeError, match="enough"):
        associator.fit(short(), callbacks=[stop])
    assert repr(associator).endswith("not fitted)")


@pytest.mark.parametrize(
    ("recipe", "options", "fraction"), [("batch", {"steps": 80}, 0.8), ("published", {"epochs": 6}, 0.8)]
)
def test_the_loss_falls(recipe: str, options: dict[str, Any], fraction: float) -> None:
    losses: list[float] = []

    def note(state: StepState) -> None:
        if state.loss is not None:
            losses.append(state.loss)

    fit_quietly(flat(recipe, recipe_options=options), scene(instants=40), callbacks=[note])
    tenth = len(losses) // 10
    assert np.mean(losses[-2 * tenth :]) < fraction * np.mean(losses[:tenth])


@pytest.mark.parametrize("name", ["tpu of the neighbour", "cuda:x", ""])
def test_a_device_that_there_is_not(name: str) -> None:
    with pytest.raises(ConfigError, match="device: expected 'cpu', 'cuda'"):
        find_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="torch finds no GPU here; use 'cpu' or 'auto'"):
        Associator(device="cuda").fit(short())
    assert find_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("recipe", RECIPES)
def test_too_short_a_recording(recipe: str) -> None:
    with pytest.raises(InputError, match="at least 5 apart, but only 4 instants came; give more instants"):
        flat(recipe).fit(short().views, frames_of(short())[:4])


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_anchor_view_that_there_is_not(recipe: str) -> None:
    with pytest.raises(InputError, match=r"anchor_view must be in 0\.\.2, got 3"):
        flat(recipe, recipe_options={"anchor_view": 3}).fit(short())


def decoder_weights_by_epoch(average_from: float) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The weights that a training of 4 epochs ends with, and those after each epoch."""
    recording, after = short(), []

    def remember(state: StepState) -> None:
        if state.step % (state.steps // 4) == 0:
            after.append(state.encoder.decoder.weight.detach().clone())

    options = {"epochs": 4, "average_from": average_from}
    fitted = fit_quietly(flat("published", recipe_options=options), recording, callbacks=[remember])
    return weights(fitted)["decoder.weight"].unflatten(0, (3, 4)), [w.unflatten(0, (3, 4)) for w in after]


def test_the_published_recipe_ends_with_the_mean_of_its_later_epochs() -> None:
    ends_with, after = decoder_weights_by_epoch(0.5)
    assert len(after) == 4
    # The encoder numbers its views by what they saw until it is done: compare the views as a set.
    mean = torch.stack(after[1:]).mean(dim=0)
    torch.testing.assert_close(ends_with.sum(dim=0), mean.sum(dim=0))
    assert not torch.allclose(ends_with.sum(dim=0), after[-1].sum(dim=0))


def test_without_an_average_the_last_weights_stay() -> None:
    ends_with, after = decoder_weights_by_epoch(1.0)
    torch.testing.assert_close(ends_with.sum(dim=0), after[-1].sum(dim=0))


def test_the_published_recipe_learns_from_synchronization_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks no floor who is who; the batch recipe does."""

    def refuse(floor: Floor, recording: PackedBoxes) -> Consensus:
        raise RuntimeError(f"asked a floor of {len(floor.views)} views about {len(recording)} instants")

    monkeypatch.setattr("selfmva.training.fit_encoder.find_consensus", refuse)
    recording, steps = scene(), []
    watch = Watch(callbacks=[lambda state: steps.append(state.step)])
    frames, floor = frames_of(recording)[:12], true_floor(recording)
    published = AssociatorConfig(recipe=PublishedRecipe(epochs=1))
    trained = fit_encoder(recording.views, frames, published, watch, floor)
    assert trained.encoder is not None
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 5
    with pytest.raises(RuntimeError, match="asked a floor of 3 views"):
        fit_encoder(recording.views, frames, AssociatorConfig(recipe=BatchRecipe(steps=1)), watch, floor)
