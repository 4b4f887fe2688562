"""Does what is installed work by itself? The sessions `build` and `lowest` of nox run this in fresh environments.

`python -I tests/smoke.py`, with the interpreter of such an environment; -I hides the checkout. It works in an empty
folder, and needs nothing but the package and its dependencies: no network either.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
from contextlib import chdir
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

BOXES = [[[400, 150, 460, 330], [200, 160, 250, 310]], [[300, 130, 350, 290]]]
VIEWS = {"wildtrack": 7, "mvor": 3}
LICENCES = {"LICENSE", "src/selfmva/association/pretrained/models/LICENSE.md"}


class Offline(socket.socket):
    """A socket of a machine without a network."""

    def connect(self, *_: Any) -> NoReturn:
        raise AssertionError("the network was asked")


def check_what_is_there() -> None:
    """The package comes from site-packages, with its types and its licences, and its command stands beside Python."""
    import selfmva

    installed, home = distribution("selfmva"), Path(selfmva.__file__).parent
    assert home.is_relative_to(sysconfig.get_path("purelib")), f"{home} is a checkout, not what was installed"
    assert installed.version == selfmva.__version__
    assert (home / "py.typed").is_file()
    assert set(installed.metadata.get_all("License-File") or ()) == LICENCES
    command = shutil.which("selfmva", path=sysconfig.get_path("scripts"))
    assert command, "the command `selfmva` was not installed"
    told = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert selfmva.__version__ in told.split()


def check_models() -> None:
    """Both models load and associate."""
    from selfmva import Associator

    for name, views in VIEWS.items():
        association = Associator.from_pretrained(name).associate(BOXES + [[]] * (views - 2))
        print(name, association)
        assert [len(ids) for ids in association.ids] == [2, 1] + [0] * (views - 2)
        assert association.probability(0, 1).shape == (2, 1)


def check_commands() -> None:
    """The program runs, lists its plug-ins and writes a new one, in the folder that it is started in."""
    from selfmva.cli.main import main

    for line in ("demo --instants 200 --steps 100", "datasets", "detectors", "encoders", "datasets new parking-garage"):
        print(f"$ selfmva {line}", flush=True)
        assert main(line.split()) == 0
    plugin = Path("selfmva-parking-garage")
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "parking-garage" in project["entry-points"]["selfmva.datasets"]
    for module in plugin.rglob("*.py"):
        compile(module.read_text(encoding="utf-8"), module, "exec")


def main() -> None:
    """Everything, in an empty folder."""
    check_what_is_there()
    socket.socket = Offline  # type: ignore[misc]
    with TemporaryDirectory() as folder, chdir(folder):
        check_models()
        check_commands()
    print(f"selfmva works here, on Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
