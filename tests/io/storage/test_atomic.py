"""A reader sees the old file or the new one, whatever happens while it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from selfmva.errors import DataError
from selfmva.io.storage.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path


def test_the_new_file_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("old")
    with atomic_write(path) as temporary:
        assert temporary.suffix == path.suffix
        assert temporary.parent == path.parent
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(type(error)), atomic_write(path) as temporary:  # noqa: PT012  # the block is what is tested
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\n"
        "from selfmva.io import write_selfmva\n"
        "from selfmva.core.types import Frame\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "frames = lambda n: [Frame([[[1, 2, 3, 4]]] * 2, index=t) for t in range(n)]\n"
        "write_selfmva(sys.argv[1], frames(2))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_selfmva(sys.argv[1], frames(500))\n"
    )
    path = tmp_path / "d.json"
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"DataError: cannot write {path}" in done.stderr
    assert (
        path.read_text()
        == '{"0": [[1, 2, 2, 2, -1, 0], [1, 2, 2, 2, -1, 1]], "1": [[1, 2, 2, 2, -1, 0], [1, 2, 2, 2, -1, 1]]}'
    )
    assert list(tmp_path.iterdir()) == [path]


def test_no_such_folder(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.json"
    with pytest.raises(DataError, match="cannot write"), atomic_write(path) as temporary:
        temporary.write_text("x")
    with pytest.raises(DataError, match="cannot write"), atomic_write(tmp_path / "b.json"):
        pass  # nothing was written


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "real.json", tmp_path / "link.json"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    with atomic_write(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    with atomic_write(tmp_path / "fresh") as temporary:
        temporary.write_text("x")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o666 & ~mask
