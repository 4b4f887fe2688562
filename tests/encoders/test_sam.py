"""SAM's corner features: found under both namings, read without the rest of the file, refused when damaged."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save
from safetensors.torch import save_file as save_tensors

from selfmva.core.types import View
from selfmva.encoders.box import BoxEncoder, fourier_features
from selfmva.encoders.sam import load_sam_features, read_prompt_tensors
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from pathlib import Path

HUB = {
    "gaussian": "shared_image_embedding.positional_embedding",
    "point_1": "prompt_encoder.point_embed.1.weight",
    "point_2": "prompt_encoder.point_embed.2.weight",
    "point_3": "prompt_encoder.point_embed.3.weight",
    "not_a_point": "prompt_encoder.not_a_point_embed.weight",
}
OWN = {
    "gaussian": "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    "point_1": "prompt_encoder.point_embeddings.1.weight",
    "point_2": "prompt_encoder.point_embeddings.2.weight",
    "point_3": "prompt_encoder.point_embeddings.3.weight",
    "not_a_point": "prompt_encoder.not_a_point_embed.weight",
}
LARGE = 8_000_000  # bytes of the tensor that nobody asked for


class CountingFile(io.BytesIO):
    """Counts the bytes that are read from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def made_up(names: dict[str, str] = HUB, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {key: (2, 128) if key == "gaussian" else (1, 256) for key in names}
    return {names[key]: torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def make(prompt: Any = "box") -> BoxEncoder:
    return BoxEncoder([View("a", 64, 48), View("b", 64, 48)], prompt=prompt, generator=torch.Generator())


@pytest.mark.parametrize("names", [HUB, OWN], ids=["hub", "own"])
def test_both_namings(names: dict[str, str]) -> None:
    tensors = made_up(names)
    found = read_prompt_tensors(io.BytesIO(save(tensors, metadata={"format": "pt"})), "sam")
    assert set(found) == set(names)
    for key, name in names.items():
        assert torch.equal(found[key], tensors[name]), key


def test_a_similar_name_is_not_taken() -> None:
    """`mask_point_embed.1.weight` ends alike, but is another tensor."""
    decoy = {"prompt_encoder.mask_point_embed.1.weight": torch.zeros(1, 256)}
    tensors = decoy | made_up()
    assert torch.equal(read_prompt_tensors(io.BytesIO(save(tensors)), "sam")["point_1"], tensors[HUB["point_1"]])


def test_only_what_is_needed_is_read() -> None:
    data = save({"a_large_one": torch.zeros(LARGE // 4), "z_large_one": torch.ones(LARGE // 4)} | made_up())
    assert len(data) > 2 * LARGE
    file = CountingFile(data)
    read_prompt_tensors(file, "sam")
    assert file.taken < 20_000


@pytest.mark.parametrize("prompt", ["box", "point"])
def test_an_encoder_takes_them(tmp_path: Path, prompt: str) -> None:
    tensors = made_up()
    save_tensors(tensors, tmp_path / "sam.safetensors")
    encoder = make(prompt)
    before = {name: parameter.clone() for name, parameter in encoder.named_parameters()}
    load_sam_features(encoder, tmp_path / "sam.safetensors")
    wanted = ("point_2", "point_3") if prompt == "box" else ("point_1", "not_a_point")
    assert torch.equal(encoder.gaussian, tensors[HUB["gaussian"]])
    assert torch.equal(encoder.token_offsets, torch.cat([tensors[HUB[name]] for name in wanted]))
    assert all(torch.equal(parameter, before[name]) for name, parameter in encoder.named_parameters())


@pytest.mark.realdata
def test_the_real_ones(data_root: Path) -> None:
    encoder = make()
    load_sam_features(encoder, data_root / "weights" / "sam_vit_h_prompt_encoder.safetensors")
    # A Gaussian draw that was never trained, and embeddings that were.
    assert encoder.gaussian.std().item() == pytest.approx(1.0, abs=0.1)
    assert encoder.token_offsets.std().item() != pytest.approx(1.0, abs=0.05)
    corner = fourier_features(torch.zeros(1, 2) + 0.5 / 1024, encoder.gaussian)
    box = torch.tensor([[0.0, 0.0, 64.0, 48.0]])
    torch.testing.assert_close(encoder.tokens(box, torch.tensor([0]))[:, :256], corner + encoder.token_offsets[0])


@pytest.mark.parametrize("length", [0, 4, 8, 100, -1, -5000])
def test_a_file_that_is_cut_short(tmp_path: Path, length: int) -> None:
    path = tmp_path / "sam.safetensors"
    path.write_bytes(save(made_up())[:length])
    encoder = make()
    before = encoder.gaussian.clone()
    with pytest.raises(CheckpointError, match=r"sam\.safetensors"):
        load_sam_features(encoder, path)
    assert torch.equal(encoder.gaussian, before)


def with_header(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 a zip file, as torch.save makes",
        b"\x00" * 100,
        b"\xff" * 100,
        with_header([1, 2]),
        with_header("text"),
        with_header({}),
        (20).to_bytes(8, "little") + b"\xff" * 20,
    ],
)
def test_a_file_of_another_kind(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        load_sam_features(make(), tmp_path / "x.safetensors")


@pytest.mark.parametrize("key", list(HUB))
def test_a_missing_tensor_is_named(key: str) -> None:
    tensors = made_up()
    del tensors[HUB[key]]
    ending = HUB[key].split(".", 1)[1]
    with pytest.raises(CheckpointError, match=f"some model has no tensor.*{ending}"):
        read_prompt_tensors(io.BytesIO(save(tensors)), "some model")


@pytest.mark.parametrize(
    "wrong", [torch.zeros(2, 64), torch.zeros(128, 2), torch.zeros(2, 128, dtype=torch.float16), torch.zeros(0)]
)
def test_another_shape_or_precision(wrong: torch.Tensor) -> None:
    with pytest.raises(CheckpointError, match=r"expected 1024 bytes of F32 of shape \[2, 128\]"):
        read_prompt_tensors(io.BytesIO(save(made_up() | {HUB["gaussian"]: wrong})), "some model")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        load_sam_features(make(), tmp_path / "nowhere")


def test_the_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of the network here: the file system of the hub is one that refuses."""

    class Refusing:
        def open(self, name: str, mode: str, block_size: int) -> None:
            raise ConnectionError(f"no route to {name}")

    monkeypatch.setattr("huggingface_hub.HfFileSystem", Refusing)
    with pytest.raises(DataError, match='facebook/sam-vit-huge.*corner_features="random"'):
        load_sam_features(make())


def test_the_hub_is_read_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = made_up()
    asked: list[tuple[str, int]] = []

    class Giving:
        def open(self, name: str, mode: str, block_size: int) -> io.BytesIO:
            asked.append((name, block_size))
            return io.BytesIO(save(tensors))

    monkeypatch.setattr("huggingface_hub.HfFileSystem", Giving)
    encoder = make()
    load_sam_features(encoder)
    assert torch.equal(encoder.gaussian, tensors[HUB["gaussian"]])
    ((name, block_size),) = asked
    assert name == "facebook/sam-vit-huge/model.safetensors"
    assert block_size <= 2**20
