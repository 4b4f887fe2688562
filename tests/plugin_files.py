"""Plug-ins as other people's packages: laid down by hand where they are broken, installed by pip where they work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = Path(__file__).parent / "plugins"


def write_plugin(
    folder: Path, distribution: str, source: str, group: str = "selfmva.datasets", **entry_points: str
) -> None:
    """Lay down what pip would: a module and its metadata."""
    module = distribution.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    metadata = folder / f"{module}-0.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.3\n")
    lines = "".join(f"{name} = {target}\n" for name, target in entry_points.items())
    (metadata / "entry_points.txt").write_text(f"[{group}]\n" + lines)


def install_plugin(source: Path, target: Path) -> None:
    """Let pip install a package into a folder, from what is here alone."""
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    with TemporaryDirectory() as folder:
        copy = shutil.copytree(source, Path(folder) / source.name)  # a build must leave nothing behind in the project
        subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", target, copy], check=True)


@contextmanager
def plugins_in(folder: Path) -> Iterator[None]:
    """What is installed in a folder is there inside the block, and forgotten after it."""
    before = set(sys.modules)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(folder))
            yield
    finally:
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]
