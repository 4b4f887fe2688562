"""Models from and to the model hub, spoken to by its own client: a server on this machine plays it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hub_server import Hub, serve
from small_scenes import fitted_on_a_floor

from selfmva import Associator
from selfmva.association.pretrained import ALIASES, CARD, CONFIG, WEIGHTS, find_folder
from selfmva.association.pretrained.files import config_digest
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = "some-lab/corridor"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub, and a client that knows no other, with a cache of its own."""
    with serve() as served:
        direct(served.url, monkeypatch)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield served


def direct(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client speak to another hub, as HF_ENDPOINT does for a new process, and wait for nothing."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    for module in ("constants", "file_download"):  # the client's first versions keep one of their own in the latter
        monkeypatch.setattr(f"huggingface_hub.{module}.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What save_pretrained writes."""
    folder = tmp_path_factory.mktemp("hub") / "corridor"
    fitted_on_a_floor()[0].save_pretrained(folder, card={"license": "MIT"})
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def retold(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    """The same model, which says that it comes from another seed."""
    config = json.loads(files[CONFIG])
    config["params"]["seed"] = seed
    config["config_sha256"] = config_digest(config)
    return {**files, CONFIG: json.dumps(config).encode()}


def test_a_model_is_downloaded_once(hub: Hub, files: dict[str, bytes]) -> None:
    commit = hub.commit(REPOSITORY, files)
    loaded = Associator.from_pretrained(REPOSITORY)
    fitted, recording = fitted_on_a_floor()
    one, other = (each.associate(recording.frame(245)) for each in (fitted, loaded))
    for pair, probability in one.probabilities.items():
        np.testing.assert_array_equal(probability, other.probabilities[pair])
    assert loaded.card_ is not None
    assert loaded.card_.license == "MIT"
    assert {path.name for path in find_folder(REPOSITORY).iterdir()} == {CONFIG, WEIGHTS, CARD}
    assert find_folder(REPOSITORY).name == commit
    assert len(hub.asked("GET", WEIGHTS)) == 1


def test_other_files_of_a_repository_stay_there(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, {**files, "pytorch_model.bin": b"\x80code", "../outside.txt": b"", "run.py": b""})
    Associator.from_pretrained(REPOSITORY)
    assert {path.rpartition("/")[2] for _, path, _ in hub.requests} == {CONFIG, WEIGHTS, CARD}


def test_a_model_without_a_card(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, {name: files[name] for name in (CONFIG, WEIGHTS)})
    assert Associator.from_pretrained(REPOSITORY).card_ is not None  # what config.json says of it


def test_revisions(hub: Hub, files: dict[str, bytes]) -> None:
    first = hub.commit(REPOSITORY, retold(files, 1), "v1")
    hub.commit(REPOSITORY, retold(files, 2), "main", "v2")
    for revision, seed in ((None, 2), ("v1", 1), ("v2", 2), (first, 1)):
        assert Associator.from_pretrained(REPOSITORY, revision=revision).get_params()["seed"] == seed


def test_all_files_are_of_one_commit(hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pushes while a model is being downloaded."""
    hub.commit(REPOSITORY, files)
    import huggingface_hub

    download = huggingface_hub.hf_hub_download

    def and_a_push(repository: str, file: str, **options: object) -> str:
        path = download(repository, file, **options)
        hub.commit(REPOSITORY, {WEIGHTS: b"of the next version"})
        return path

    monkeypatch.setattr("huggingface_hub.hf_hub_download", and_a_push)
    Associator.from_pretrained(REPOSITORY)


def test_a_cut_connection_is_resumed(hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)  # what is kept of a cut download
    hub.commit(REPOSITORY, files)
    hub.cuts[WEIGHTS] = [len(files[WEIGHTS]) // 3, len(files[WEIGHTS]) // 3]
    for _ in range(2):  # the client goes on by itself, or, before its version 1, when it is asked again
        with suppress(DataError):
            find_folder(REPOSITORY)
    assert (find_folder(REPOSITORY) / WEIGHTS).read_bytes() == files[WEIGHTS]
    first, *again = hub.asked("GET", WEIGHTS)
    assert first is None
    begins = [int(str(part).removeprefix("bytes=").removesuffix("-")) for part in again]
    assert len(begins) == 2
    assert len(files[WEIGHTS]) // 4 < begins[0] < begins[1]


def test_a_connection_that_breaks_for_good(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, files)
    hub.cuts[WEIGHTS] = [1000] + [0] * 6
    with pytest.raises(DataError, match="cannot get some-lab/corridor from the model hub: .*Error"):
        find_folder(REPOSITORY)
    hub.cuts.clear()
    assert (find_folder(REPOSITORY) / WEIGHTS).read_bytes() == files[WEIGHTS]


def test_offline(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, files, "v1")
    with pytest.raises(DataError, match="local_files_only, and it is not in the cache; fetch its files by hand"):
        Associator.from_pretrained(REPOSITORY, revision="v1", local_files_only=True)
    Associator.from_pretrained(REPOSITORY, revision="v1")
    asked = len(hub.requests)
    Associator.from_pretrained(REPOSITORY, revision="v1", local_files_only=True)
    assert len(hub.requests) == asked


def test_the_cache_serves_where_the_hub_is_down(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commit(REPOSITORY, files)
    Associator.from_pretrained(REPOSITORY)
    direct("http://127.0.0.1:9", monkeypatch)
    Associator.from_pretrained(REPOSITORY)
    with pytest.raises(DataError, match="the model hub cannot be reached, and it is not in the cache"):
        Associator.from_pretrained("some-lab/other")


def test_a_cache_of_ones_own(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.commit(REPOSITORY, files)
    assert find_folder(REPOSITORY, cache_dir=tmp_path / "own").is_relative_to(tmp_path / "own")


def test_damage_in_the_cache_is_found_and_mended(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, files)
    weights = find_folder(REPOSITORY) / WEIGHTS
    *others, last = weights.read_bytes()
    weights.resolve().write_bytes(bytes([*others, last ^ 1]))
    with pytest.raises(CheckpointError, match="its hash differs"):
        Associator.from_pretrained(REPOSITORY)
    Associator.from_pretrained(REPOSITORY, force_download=True)


def test_files_that_do_not_belong_together(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, {**files, WEIGHTS: files[WEIGHTS] + b" "})
    with pytest.raises(CheckpointError, match="its hash differs"):
        Associator.from_pretrained(REPOSITORY)


def test_no_such_repository(hub: Hub) -> None:
    with pytest.raises(DataError, match="no such repository, or it is private: check the name, or give token="):
        Associator.from_pretrained("some-lab/nothing")


def test_no_such_revision(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(REPOSITORY, files)
    with pytest.raises(DataError, match=r"some-lab/corridor at 'v9' .* no such branch, tag or commit"):
        Associator.from_pretrained(REPOSITORY, revision="v9")


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS])
def test_a_repository_of_something_else(hub: Hub, files: dict[str, bytes], missing: str) -> None:
    hub.commit(REPOSITORY, {name: data for name, data in files.items() if name != missing})
    with pytest.raises(DataError, match="it holds no model"):
        Associator.from_pretrained(REPOSITORY)


def test_private_and_gated_repositories(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.commit(REPOSITORY, files)
    hub.private.add(REPOSITORY)
    with pytest.raises(DataError, match="or give token="):
        Associator.from_pretrained(REPOSITORY)
    Associator.from_pretrained(REPOSITORY, token=hub.token)
    hub.gated.add(REPOSITORY)
    with pytest.raises(DataError, match="its owner has to grant access"):
        Associator.from_pretrained(REPOSITORY, token=hub.token, revision="main", cache_dir=tmp_path / "another")


def test_an_alias_is_pinned(hub: Hub, files: dict[str, bytes]) -> None:
    alias = ALIASES["soldiers"]
    with pytest.raises(DataError, match=f"{alias.repository} at '{alias.revision}'"):
        Associator.from_pretrained("soldiers")
    hub.commit(alias.repository, retold(files, 1), alias.revision)
    hub.commit(alias.repository, retold(files, 2), "main", "v2")
    assert Associator.from_pretrained("soldiers").get_params()["seed"] == 1
    assert Associator.from_pretrained("soldiers", revision="v2").get_params()["seed"] == 2


def test_another_revision_of_a_shipped_model_is_of_the_hub(hub: Hub, files: dict[str, bytes]) -> None:
    hub.commit(ALIASES["wildtrack"].repository, retold(files, 5), "next")
    assert Associator.from_pretrained("wildtrack", revision="next").get_params()["seed"] == 5
    assert len(Associator.from_pretrained("wildtrack").views_) == 7


def test_a_model_of_somebody_else_opens_no_file_of_ours(hub: Hub, files: dict[str, bytes]) -> None:
    config = json.loads(files[CONFIG])
    config["params"]["appearance"]["encoder"] = "onnx:/etc/secret.onnx"
    config["config_sha256"] = config_digest(config)
    hub.commit(REPOSITORY, {**files, CONFIG: json.dumps(config).encode()})
    with pytest.raises(CheckpointError, match=r"'onnx:/etc/secret.onnx', a file of its maker's machine: give app"):
        Associator.from_pretrained(REPOSITORY)
    found = Associator.from_pretrained(REPOSITORY, appearance={"encoder": None})
    assert found.get_params()["appearance"].encoder is None
    Associator.from_pretrained(find_folder(REPOSITORY))  # whoever names the folder has seen to it


def test_push(hub: Hub) -> None:
    fitted, recording = fitted_on_a_floor()
    address = fitted.push_to_hub(REPOSITORY, card={"title": "The corridor"}, token=hub.token, private=True)
    assert str(address).startswith(f"{hub.url}/{REPOSITORY}/commit/")
    assert hub.private == {REPOSITORY}
    (names,) = (set(content) for content in hub.files.values())
    assert names == {CONFIG, WEIGHTS, CARD}
    loaded = Associator.from_pretrained(REPOSITORY, token=hub.token)
    assert loaded.card_ is not None
    assert loaded.card_.title == "The corridor"
    assert f'from_pretrained("{REPOSITORY}")' in (find_folder(REPOSITORY, token=hub.token) / CARD).read_text()
    one, other = (each.associate(recording.frame(245)) for each in (fitted, loaded))
    assert all(map(np.array_equal, one.ids, other.ids))


def test_push_without_the_right(hub: Hub) -> None:
    with pytest.raises(DataError, match="cannot push to some-lab/corridor: .*; is the token allowed to write"):
        fitted_on_a_floor()[0].push_to_hub(REPOSITORY, token="another")


def test_what_is_pushed_tells_nothing_of_the_disk(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "re-id.onnx").write_bytes(b"")
    associator = Associator.from_pretrained("wildtrack", appearance=f"onnx:{tmp_path / 're-id.onnx'}")
    associator.push_to_hub(REPOSITORY, token=hub.token)
    for content in hub.files.values():
        for data in content.values():
            assert str(tmp_path).encode() not in data
    with pytest.raises(CheckpointError, match="learnt with the encoder of appearance 'onnx:re-id.onnx'"):
        Associator.from_pretrained(REPOSITORY)
