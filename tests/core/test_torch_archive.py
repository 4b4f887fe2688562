"""Files that are made to do harm: each is refused with its name and the reason, and nothing in it is run."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selfmva.core.runtime.torch_archive import read_torch_archive
from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = {"model": {"weight": torch.arange(12.0).view(3, 4)}, "epoch": 3}
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "whole.pth.tar"
    torch.save(CONTENT, path)
    return path


def rewrite(whole: Path, path: Path, change: Callable[[zipfile.ZipInfo, bytes], bytes]) -> Path:
    """The same archive, with records as `change` has them."""
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for record in old.infolist():
            data = change(record, old.read(record.filename))
            new.writestr(record, data)
    return path


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_whole_file(whole: Path) -> None:
    content = read_torch_archive(str(whole))
    assert content["epoch"] == 3
    assert torch.equal(content["model"]["weight"], CONTENT["model"]["weight"])


def test_a_rewritten_file_is_still_read(whole: Path, tmp_path: Path) -> None:
    """Else the tests below would refuse for another reason than theirs."""
    path = rewrite(whole, tmp_path / "same", lambda record, data: data)
    assert torch.equal(read_torch_archive(path)["model"]["weight"], CONTENT["model"]["weight"])


def test_code_in_an_archive_never_runs(tmp_path: Path) -> None:
    torch.save({"model": {}, "epoch": Attack(tmp_path / "was-run")}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"evil\.pth is refused: it holds more than tensors, \w+\.mkdir, which"):
        read_torch_archive(tmp_path / "evil.pth")
    assert not (tmp_path / "was-run").exists()


def test_the_attack_is_one(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Attack(tmp_path / "was-run")))  # noqa: S301
    assert (tmp_path / "was-run").is_dir()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_bare_pickle(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Attack(tmp_path / "was-run"), protocol=protocol))
    with pytest.raises(CheckpointError, match=r"x\.pkl is no archive .*older format, which can run code"):
        read_torch_archive(tmp_path / "x.pkl")
    assert not (tmp_path / "was-run").exists()


def test_the_formats_before(tmp_path: Path) -> None:
    """Weights alone, too: `weights_only` is no shield there in torch below 2.6."""
    torch.save(CONTENT, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with tarfile.open(tmp_path / "old.tar", "w") as tar:
        for name in ("storages", "tensors", "pickle"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    for name in ("old.pth", "old.tar"):
        with pytest.raises(CheckpointError, match=f"{name} is no archive as torch.save writes it since 1.6"):
            read_torch_archive(tmp_path / name)


def test_a_tar_with_an_archive_at_its_end(whole: Path, tmp_path: Path) -> None:
    """A zip's directory is at the end, a tar begins at the start: such a file is both."""
    with tarfile.open(tmp_path / "both", "w") as tar:
        tar.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    (tmp_path / "both").write_bytes((tmp_path / "both").read_bytes() + whole.read_bytes())
    assert zipfile.is_zipfile(tmp_path / "both")
    with pytest.raises(CheckpointError, match="both is no archive"):
        read_torch_archive(tmp_path / "both")


def test_a_zip_bomb(whole: Path, tmp_path: Path) -> None:
    def squeeze(record: zipfile.ZipInfo, data: bytes) -> bytes:
        if not record.filename.endswith("data/0"):
            return data
        record.compress_type = zipfile.ZIP_DEFLATED
        return bytes(200_000_000)

    path = rewrite(whole, tmp_path / "bomb", squeeze)
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="bomb is refused: its record 'whole.*data/0' is compressed"):
        read_torch_archive(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_records_that_overlap(whole: Path, tmp_path: Path) -> None:
    """Nothing is compressed, but the directory names the same bytes many times."""
    path = rewrite(whole, tmp_path / "overlap", lambda record, data: data + bytes(20_000) * data.startswith(b"\x80"))
    with zipfile.ZipFile(path, "a") as archive:
        (pickled,) = (record for record in archive.infolist() if record.filename.endswith("data.pkl"))
        archive.filelist += [pickled] * 50
        archive._didModify = True
    with pytest.raises(CheckpointError, match=r"overlap is refused: its records claim \d+ bytes, the file has \d+"):
        read_torch_archive(path)


@pytest.mark.parametrize(
    "name", ["../data/9", "a/../../b", "/etc/passwd", "..\\data", "C:\\x", "C:/x", "\\x", "a\\..\\b"]
)
def test_names_that_climb_out(whole: Path, tmp_path: Path, name: str) -> None:
    path = rewrite(whole, tmp_path / "climb", lambda record, data: data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"data")
    with pytest.raises(CheckpointError, match="climb is refused: its record .* points out of the archive"):
        read_torch_archive(path)


def test_a_program(whole: Path, tmp_path: Path) -> None:
    path = rewrite(whole, tmp_path / "program.pt", lambda record, data: data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("whole.pth/constants.pkl", pickle.dumps(()))
    with pytest.raises(CheckpointError, match=r"program\.pt is refused: it is a TorchScript program"):
        read_torch_archive(path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>", "<!DOCTYPE html>"),
        ("\n\n404: Not Found", "404: Not Found"),
        ("<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>Der Schlüssel fehlt</Message></Error>", "<.xml"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7163061\n",
            "version https://git-lfs.github.com/spec",
        ),
    ],
)
def test_text_is_a_failed_download(tmp_path: Path, text: str, shown: str) -> None:
    (tmp_path / "w.pth.tar").write_text(text)
    with pytest.raises(CheckpointError, match=rf"w\.pth\.tar is text \(['\"]{shown}.*did its download fail"):
        read_torch_archive(tmp_path / "w.pth.tar")


def test_a_damaged_record(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    with zipfile.ZipFile(whole) as archive:
        (record,) = (record for record in archive.infolist() if record.filename.endswith("data.pkl"))
    data[record.header_offset : record.header_offset + 30] = bytes(30)
    (tmp_path / "x").write_bytes(b"PK\x03\x04" + data[4:])
    with pytest.raises(CheckpointError, match="x cannot be read as weights"):
        read_torch_archive(tmp_path / "x")


@given(st.floats(0.01, 1, exclude_max=True))
@example(0.0)
@FEW
def test_a_file_that_is_cut_short(whole: Path, tmp_path: Path, fraction: float) -> None:
    data = whole.read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(fraction * len(data))])
    with pytest.raises(CheckpointError, match="cut (is|cannot) .*cut short"):
        read_torch_archive(tmp_path / "cut")


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"PK\x03\x04", b"(lp0\n"]))
@FEW
def test_a_file_of_anything(tmp_path: Path, data: bytes, start: bytes) -> None:
    (tmp_path / "junk").write_bytes(start + data)
    with pytest.raises(CheckpointError, match="junk"):
        read_torch_archive(tmp_path / "junk")


@given(st.data())
@FEW
def test_a_byte_that_flipped(whole: Path, tmp_path: Path, data: st.DataObject) -> None:
    """It is read or refused with our own error, never anything else."""
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "flipped").write_bytes(content)
    try:
        read_torch_archive(tmp_path / "flipped")
    except CheckpointError as error:
        assert "flipped" in str(error)  # noqa: PT017


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere does not exist"):
        read_torch_archive(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        read_torch_archive(tmp_path)
