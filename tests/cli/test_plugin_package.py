"""The package of a new plug-in: written whole or not at all, installed by pip, and useful as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from full_disk import largest_file
from plugin_files import install_plugin, plugins_in, write_plugin

from selfmva.cli.plugin_package import write_plugin_package
from selfmva.core.types import Frame
from selfmva.datasets.recording import split_by_time
from selfmva.datasets.simulated import Simulated
from selfmva.errors import DataError, InputError
from selfmva.io import write_table

if TYPE_CHECKING:
    from pathlib import Path

NAME = "parking-garage-2"
SCENE = Simulated(views=2, people=4, instants=200, seed=1)


def run_python(*arguments: str, path: Path, folder: Path) -> str:
    """Standard output of an interpreter that finds plug-ins in a folder; it must succeed without a warning."""
    environment = os.environ | {"PYTHONPATH": str(path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "garage"
    write_plugin_package(NAME, folder)
    return folder


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed what the generator wrote."""
    target = tmp_path_factory.mktemp("installed")
    install_plugin(package, target)
    return target


@pytest.fixture(scope="module")
def labelled() -> list[Frame]:
    """A simulated scene, whose people are known."""
    return [Frame(SCENE.frame(k).boxes, k, track_ids=SCENE.identities(k)) for k in range(len(SCENE))]


@pytest.fixture(scope="module")
def recording(labelled: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene in the layout that the README of the package describes."""
    folder = tmp_path_factory.mktemp("recording")
    cameras = [f"{view.name},{view.width},{view.height}" for view in SCENE.views]
    (folder / "cameras.csv").write_text("\n".join(["view,width,height", *cameras]))
    write_table(folder / "boxes.csv", labelled)
    return folder


def test_its_own_tests_pass(package: Path, installed: Path) -> None:
    out = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", path=installed, folder=package)
    assert "9 passed" in out


def test_it_is_listed_checked_fitted_and_evaluated(
    installed: Path, recording: Path, labelled: list[Frame], tmp_path: Path
) -> None:
    program = f"""
from selfmva.cli.main import main
data = ["--root", {str(recording)!r}, "--json"]
for arguments in (
    ["datasets", "--json"],
    ["datasets", "check", {NAME!r}, *data],
    ["fit", "--dataset", {NAME!r}, *data, "--recipe", "geometry", "--out", "rig"],
    ["evaluate", "rig", "--dataset", {NAME!r}, *data, "--protocol", "calibrated"],
):
    assert main(arguments) == 0
    print("---")
"""
    out = run_python("-c", program, path=installed, folder=tmp_path)
    listed, checked, fitted, scores = (json.loads(part) for part in out.split("---\n")[:4])
    (entry,) = (entry for entry in listed["datasets"] if entry["name"] == NAME)
    assert (entry["distribution"], entry["error"]) == (f"selfmva-{NAME} 0.1", None)
    assert checked["labelled"]
    instants = {name: part["instants"] for name, part in checked["splits"].items()}
    assert instants == {name: len(indices) for name, indices in split_by_time(labelled).items()}
    assert [view["name"] for view in fitted["views"]] == [view["name"] for view in checked["views"]]
    assert scores["scores"]["calibrated"]["average_precision"] > 0.9


def test_what_is_written(package: Path) -> None:
    words = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*") if path.is_file()}
    assert set(words) == {
        "pyproject.toml",
        "README.md",
        "src/selfmva_parking_garage_2/__init__.py",
        "src/selfmva_parking_garage_2/adapter.py",
        "src/selfmva_parking_garage_2/py.typed",
        "tests/test_selfmva_parking_garage_2.py",
    }
    assert not any("$" in text for text in words.values())
    project = tomllib.loads(words["pyproject.toml"])["project"]
    assert project["entry-points"]["selfmva.datasets"] == {NAME: "selfmva_parking_garage_2:ParkingGarage2Dataset"}
    for place in ("read_cameras", "read_frames", "choose_splits"):  # what the README says is there
        assert f"`{place}`" in words["README.md"]
        assert f"def {place}(" in words["src/selfmva_parking_garage_2/adapter.py"]


def test_where_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {path.parts[0] for path in write_plugin_package("yard")} == {"selfmva-yard"}
    (tmp_path / "empty").mkdir()
    write_plugin_package("yard", "empty")
    write_plugin_package("yard", "deep/down")
    for folder in ("selfmva-yard", "empty", "deep/down"):
        assert (tmp_path / folder / "tests" / "test_selfmva_yard.py").is_file()


@pytest.mark.parametrize(
    "name", ["", "Yard", "9lives", "yard-", "-yard", "a--b", "a_b", "../yard", "a/b", "ä", "a" * 41]
)
def test_names_that_are_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"made of lower-case letters a-z, .* such as 'parking-garage'; got '.*'"):
        write_plugin_package(name, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_names_that_are_taken(tmp_path: Path) -> None:
    write_plugin(tmp_path, "other", "", yard="other:Yard")
    for name, owner in (("mvor", "selfmva "), ("yard", "other 0.3")):
        message = f"data set '{name}' is registered already, by {owner}.*another name"
        with plugins_in(tmp_path), pytest.raises(InputError, match=message):
            write_plugin_package(name, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty; choose a new one"):
        write_plugin_package("yard", tmp_path)
    with pytest.raises(DataError, match=r"cannot write .*notes\.txt"):
        write_plugin_package("yard", tmp_path / "notes.txt")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("existed", [False, True])
def test_a_full_disk_leaves_nothing(existed: bool, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    if existed:
        folder.mkdir()
    with largest_file(1500), pytest.raises(DataError, match=r"cannot write .*package: .*; nothing was left there"):
        write_plugin_package("yard", folder)  # the README is longer, the file before it is not
    assert folder.exists() == existed
    assert [*tmp_path.rglob("*")] == ([folder] if existed else [])
