"""`selfmva datasets`: what is installed, whether it keeps the contract, and the package of a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfmva.datasets import list_datasets
from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

BUILT_IN = {"wildtrack", "mvor", "soldiers", "mvmhat", "folder", "simulated"}


def test_json(invoke: Callable) -> None:
    outcome = invoke("datasets", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    entries = outcome.json()["datasets"]
    assert {entry["name"] for entry in entries} >= BUILT_IN
    assert [entry["target"] for entry in entries] == [entry.target for entry in list_datasets()]


def test_table(invoke: Callable) -> None:
    lines = invoke("datasets").out.splitlines()
    assert lines[0].split() == ["name", "distribution", "state"]
    rows = {line.split()[0]: line.split() for line in lines[2:]}
    assert set(rows) >= BUILT_IN
    assert rows["mvor"][1] == "selfmva"
    assert rows["mvor"][-1] == "ok"


def test_check_json(invoke: Callable, scene: Any, scene_arguments: tuple[str, ...]) -> None:
    content = invoke("datasets", "check", *scene_arguments[1:], "--json").json()
    assert (content["name"], content["labelled"]) == ("simulated", True)
    assert content["views"] == [{"name": view.name, "width": 1280, "height": 720} for view in scene.views]
    for name, indices in scene.splits.items():
        boxes = sum(len(array) for index in indices for array in scene.frame(index).boxes)
        assert content["splits"][name] == {"instants": len(indices), "boxes": boxes}


def test_json_on_either_side(invoke: Callable, scene_arguments: tuple[str, ...]) -> None:
    arguments = ("check", *scene_arguments[1:])
    assert invoke("datasets", "--json", *arguments).json() == invoke("datasets", *arguments, "--json").json()


def test_check_table(invoke: Callable, scene_arguments: tuple[str, ...]) -> None:
    lines = invoke("datasets", "check", *scene_arguments[1:]).out.splitlines()
    assert lines[0] == "simulated keeps the contract; with identities"
    assert [line.split()[:2] for line in lines[-3:]] == [["train", "140"], ["validation", "20"], ["test", "40"]]


def test_check_fails(invoke: Callable, scene_arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Simulated, "splits", {"train": [0, 1], "test": [1, 2]})
    outcome = invoke("datasets", "check", *scene_arguments[1:], "--json")
    assert (outcome.code, outcome.out) == (1, "")
    assert "train and test share no index" in outcome.err


def test_new(invoke: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = invoke("datasets", "new", "yard")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    written = [line.strip() for line in lines[1 : lines.index("")]]
    assert sorted(written) == sorted(path.as_posix() for path in files_in(tmp_path))
    assert lines[-3:] == ["  cd selfmva-yard", "  pip install -e '.[test]'", "  pytest"]


def test_new_in_a_folder_of_its_own(invoke: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "my plugins" / "yard"
    content = invoke("datasets", "new", "yard", "--folder", folder, "--json").json()
    assert (content["name"], content["folder"]) == ("yard", str(folder))
    assert sorted(content["files"]) == sorted(str(tmp_path / path) for path in files_in(tmp_path))
    again = invoke("datasets", "new", "yard", "--folder", folder)
    assert (again.code, again.out) == (1, "")
    assert "is not empty; choose a new one, or empty it" in again.err
    other = invoke("datasets", "new", "yard", "--folder", folder / "inner")
    assert f"  cd '{folder / 'inner'}'\n" in other.out  # as a shell takes it


def files_in(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
