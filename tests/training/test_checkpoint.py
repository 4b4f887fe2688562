"""Checkpoints: nothing is lost in them, and what does not fit is refused in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from full_disk import largest_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from small_scenes import fit_quietly, flat, frames_of, short

from selfmva.core.types import Frame, View
from selfmva.encoders.box import BoxEncoder
from selfmva.errors import CheckpointError, DataError
from selfmva.training.checkpoint import Fingerprint, load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BELONGS = Fingerprint(json.dumps({"seed": 0, "recipe": {"name": "batch", "steps": 5}}), "boxes")


def make(seed: int = 0, views: int = 2) -> tuple[BoxEncoder, torch.optim.Adam]:
    cameras = [View(f"v{k}", 64, 48) for k in range(views)]
    encoder = BoxEncoder(cameras, generator=torch.Generator().manual_seed(seed))
    return encoder, torch.optim.Adam(encoder.parameters(), lr=1e-3, fused=True)


def take_steps(encoder: BoxEncoder, optimizer: torch.optim.Adam, steps: int, seed: int) -> None:
    for step in range(steps):
        generator = torch.Generator().manual_seed(100 * seed + step)
        boxes = torch.rand(8, 4, generator=generator) * 20 + torch.tensor([0.0, 0.0, 25.0, 20.0])
        embeddings = encoder(boxes, torch.arange(8) % 2)
        optimizer.zero_grad()
        (embeddings.std() + encoder.decode(embeddings).square().sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint after three steps."""
    path = tmp_path_factory.mktemp("checkpoint") / "state.safetensors"
    encoder, optimizer = make()
    take_steps(encoder, optimizer, 3, seed=1)
    save_checkpoint(path, encoder, optimizer, 3, BELONGS)
    return path


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    encoder, optimizer = make()
    take_steps(encoder, optimizer, 3, seed=1)
    save_checkpoint(tmp_path / "a", encoder, optimizer, 3, BELONGS)
    take_steps(encoder, optimizer, 4, seed=2)
    again, its_optimizer = make(seed=9)
    assert load_checkpoint(tmp_path / "a", again, its_optimizer, BELONGS) == 3
    take_steps(again, its_optimizer, 4, seed=2)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    for one, other in zip(optimizer.state.values(), its_optimizer.state.values(), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in ("step", "exp_avg", "exp_avg_sq"))


def test_a_checkpoint_before_the_first_step(tmp_path: Path) -> None:
    """Where every step so far was skipped, Adam has no state yet."""
    encoder, optimizer = make()
    save_checkpoint(tmp_path / "a", encoder, optimizer, 2, BELONGS)
    again, its_optimizer = make(seed=9)
    assert load_checkpoint(tmp_path / "a", again, its_optimizer, BELONGS) == 2
    assert torch.equal(again.layers[0].weight, encoder.layers[0].weight)
    take_steps(again, its_optimizer, 1, seed=1)


def test_a_file_is_no_pickle(saved: Path) -> None:
    header = int.from_bytes(saved.read_bytes()[:8], "little")
    assert json.loads(saved.read_bytes()[8 : 8 + header])["__metadata__"]["step"] == "3"


@given(st.floats(0, 1, exclude_max=True))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_checkpoint_that_is_cut_short(saved: Path, tmp_path: Path, fraction: float) -> None:
    data = saved.read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(fraction * len(data))])
    encoder, optimizer = make(seed=4)
    before = encoder.layers[0].weight.clone()
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(tmp_path / "cut", encoder, optimizer, BELONGS)
    assert torch.equal(encoder.layers[0].weight, before)


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere does not exist"):
        load_checkpoint(tmp_path / "nowhere", *make(), BELONGS)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="its format is 'pt', expected 'selfmva-training-2'"):
        load_checkpoint(tmp_path / "other.safetensors", *make(), BELONGS)


def test_another_architecture(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=r"view_tokens has shape \(2, 256\), expected \(3, 256\)"):
        load_checkpoint(saved, *make(views=3), BELONGS)


def test_other_data(saved: Path) -> None:
    with pytest.raises(CheckpointError, match="made from other boxes"):
        load_checkpoint(saved, *make(), Fingerprint(BELONGS.settings, "other boxes"))


def test_other_hyper_parameters_are_named(saved: Path) -> None:
    other = json.dumps({"seed": 7, "recipe": {"name": "batch", "steps": 6}})
    message = r"recipe\.steps: 5 there, 6 here, seed: 0 there, 7 here"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved, *make(), Fingerprint(other, "boxes"))


def test_a_full_disk_leaves_the_old_checkpoint_whole(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    path.write_bytes(saved.read_bytes())
    encoder, optimizer = make()
    take_steps(encoder, optimizer, 1, seed=5)
    with largest_file(1_000_000), pytest.raises(DataError, match="cannot write .*; what was there before is unchanged"):
        save_checkpoint(path, encoder, optimizer, 4, BELONGS)
    assert path.read_bytes() == saved.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        save_checkpoint(tmp_path / "nowhere" / "state", *make(), 0, BELONGS)


# The same, through fit().


def half_a_training(path: Path, **options: Any) -> None:
    """Stop a training in the middle; its checkpoint stays."""

    class Stop(Exception):  # noqa: N818  # a wish, not an error
        pass

    def stop(state: Any) -> None:
        if state.step == state.steps:
            raise Stop

    with pytest.raises(Stop):
        flat(**options).fit(short(), checkpoint=path, callbacks=[stop])


@pytest.fixture(scope="module")
def of_a_fit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fit") / "state.safetensors"
    half_a_training(path)
    return path


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({"seed": 1}, short(), "seed: 0 there, 1 here"),
        ({"precision": "bfloat16"}, short(), "precision: 'float32' there, 'bfloat16' here"),
        ({"encoder": {"prompt": "point"}}, short(), r"encoder\.prompt: 'box' there, 'point' here"),
        ({"recipe_options": {"steps": 13}}, short(), r"recipe\.steps: 12 there, 13 here"),
        ({"recipe_options": {"anchor_view": 0}}, short(), r"recipe\.anchor_view: None there"),
        ({"recipe": "published"}, short(), r"recipe\.name: 'batch' there, 'published' here"),
        ({}, short(views=2), "views: .* there, .* here"),
        ({}, short(width=640), "views: .*1280.* there, .*640.* here"),
        ({}, short(seed=5), "made from other boxes"),
        ({}, short(instants=31), "made from other boxes"),
    ],
)
def test_fit_resumes_only_what_was_begun(of_a_fit: Path, options: Any, data: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        flat(**options).fit(data, checkpoint=of_a_fit, resume=True)


def steps_into(steps: list[int]) -> Callable[[str, int, int], None]:
    """A progress hook that writes down the steps of the training."""
    return lambda task, completed, total: steps.append(completed) if task == "fit" else None


def test_fit_resumes_whatever_the_order_of_cameras_and_boxes(of_a_fit: Path) -> None:
    """It is the same training: only the labels of its views differ."""
    recording, rng = short(), np.random.default_rng(0)
    shuffled = [
        Frame([rng.permutation(frame.boxes[view]) for view in (2, 0, 1)], frame.index) for frame in frames_of(recording)
    ]
    views = [recording.views[view] for view in (2, 0, 1)]
    steps: list[int] = []
    one = fit_quietly(flat(), views, shuffled, checkpoint=of_a_fit, resume=True, progress=steps_into(steps))
    assert steps == []  # there was nothing left to do
    plain = fit_quietly(flat(), recording)
    assert torch.equal(one.encoder_.view_tokens, plain.encoder_.view_tokens[[2, 0, 1]])


def test_without_resume_a_checkpoint_is_overwritten(of_a_fit: Path, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    path.write_bytes(of_a_fit.read_bytes())
    steps: list[int] = []
    fit_quietly(flat(seed=1), short(), checkpoint=path, progress=steps_into(steps))
    assert steps == list(range(1, 13))
    assert path.read_bytes() != of_a_fit.read_bytes()


def test_resume_without_a_checkpoint_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    one = fit_quietly(flat(), short(), checkpoint=path, resume=True)
    assert path.is_file()
    assert torch.equal(one.encoder_.decoder.weight, fit_quietly(flat(), short()).encoder_.decoder.weight)


def contents(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize(
    "change",
    [
        lambda metadata, _: metadata.update(step="2"),
        lambda metadata, _: metadata.update(step="999999"),
        lambda metadata, _: metadata.pop("step"),
        lambda metadata, _: metadata.pop("data"),
        lambda metadata, _: metadata.pop("sha256"),
        lambda _, tensors: tensors.pop("optimizer.0.exp_avg"),
        lambda _, tensors: [tensors.pop(name) for name in list(tensors) if name.startswith("optimizer")],
        lambda _, tensors: tensors.update({"optimizer.0.step": torch.tensor(1.0)}),
        lambda _, tensors: tensors["optimizer.1.exp_avg"].zero_(),
    ],
)
def test_forged_steps_and_missing_state(saved: Path, tmp_path: Path, change: Callable[[Any, Any], Any]) -> None:
    metadata, tensors = contents(saved)
    change(metadata, tensors)
    save_file(tensors, tmp_path / "forged", metadata=metadata)
    encoder, optimizer = make(seed=3)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with pytest.raises(CheckpointError, match="its digest differs"):
        load_checkpoint(tmp_path / "forged", encoder, optimizer, BELONGS)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert not optimizer.state_dict()["state"]


@pytest.mark.parametrize("seed", range(8))
def test_one_bit_that_flipped(saved: Path, tmp_path: Path, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    data = bytearray(saved.read_bytes())
    most = len(data) if seed % 2 else 4000  # in the header, too
    data[int(torch.randint(most, (), generator=generator))] ^= 1 << int(torch.randint(8, (), generator=generator))
    (tmp_path / "flipped").write_bytes(data)
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "flipped", *make(), BELONGS)
