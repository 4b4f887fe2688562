"""Datasets by name: plug-ins that are installed for real, plug-ins that are broken, names that clash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from plugin_files import PLUGINS, install_plugin, plugins_in, write_plugin

from selfmva.datasets import list_datasets, load_dataset
from selfmva.datasets.folder import Folder
from selfmva.errors import DataError, InputError, PluginError

if TYPE_CHECKING:
    from pathlib import Path

BUILT_IN = {"folder", "mvmhat", "mvor", "simulated", "soldiers", "wildtrack"}


def test_the_built_in_datasets_are_listed_and_load(tmp_path: Path) -> None:
    entries = {entry.name: entry for entry in list_datasets() if entry.distribution.startswith("selfmva ")}
    assert set(entries) == BUILT_IN
    assert all(entry.error is None for entry in entries.values())
    (tmp_path / "b.json").write_text("{}")
    assert isinstance(load_dataset("folder", tmp_path, sizes=[(9, 9), (9, 9)]), Folder)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("mvro", {}, PluginError, "no dataset is called 'mvro', did you mean 'mvor'. Known: .*folder, mvmhat, mvor"),
        ("zzzzzz", {}, PluginError, "no dataset is called 'zzzzzz'; Known: "),
        ("", {}, PluginError, "no dataset is called ''"),
        ("mvor", {}, InputError, r"dataset 'mvor' takes \(root.*missing a required argument: 'root'"),
        ("mvor", {"root": ".", "colour": 1}, InputError, "got an unexpected keyword argument 'colour'"),
        ("mvor", {"root": "nowhere"}, DataError, "no MVOR annotations found"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_dataset(name, **arguments)


def test_a_broken_plugin_breaks_nothing_else(tmp_path: Path) -> None:
    write_plugin(tmp_path, "broken-import", "raise OSError('no driver')", broken_import="broken_import:X")
    write_plugin(tmp_path, "broken-exit", "raise SystemExit(3)", broken_exit="broken_exit:X")
    write_plugin(tmp_path, "broken-name", "", broken_name="broken_name:Missing", broken_target="not a target")
    write_plugin(tmp_path, "broken-call", "def X():\n    raise KeyError('size')", broken_call="broken_call:X")
    write_plugin(tmp_path, "broken-kind", "X = 3", broken_kind="broken_kind:X")
    with plugins_in(tmp_path):
        errors = {entry.name: entry.error for entry in list_datasets()}
        assert set(errors) >= BUILT_IN | {"broken_import", "broken_call"}
        assert {name for name, error in errors.items() if error} == {"broken_target"}
        for name, message in {
            "broken_import": r"\(broken_import:X\) of broken-import 0\.3 failed: OSError: no driver; update",
            "broken_exit": "of broken-exit 0.3 failed: SystemExit: 3",
            "broken_name": "of broken-name 0.3 failed: AttributeError",
            "broken_target": "of broken-name 0.3 cannot be loaded: .*'not a target' is not of the form module",
            "broken_call": "of broken-call 0.3 failed: KeyError: 'size'",
            "broken_kind": "of broken-kind 0.3 failed: TypeError",
        }.items():
            with pytest.raises(PluginError, match=message):
                load_dataset(name)
        (tmp_path / "b.json").write_text("{}")
        assert len(load_dataset("folder", tmp_path / "b.json", sizes=[(9, 9), (9, 9)])) == 0


def test_a_name_that_two_distributions_register(tmp_path: Path) -> None:
    write_plugin(tmp_path, "first", "X = list", same="first:X", alone="first:X")
    write_plugin(tmp_path, "second", "X = list", same="second:X", mvor="second:X")
    with plugins_in(tmp_path):
        entries = [entry for entry in list_datasets() if entry.name == "same"]
        assert sorted(entry.distribution for entry in entries) == ["first 0.3", "second 0.3"]
        assert all("registered by first 0.3 and second 0.3; uninstall one" in entry.error for entry in entries)
        with pytest.raises(PluginError, match=r"'same' is registered by first 0.3 and second 0.3"):
            load_dataset("same")
        with pytest.raises(PluginError, match=r"'mvor' is registered by second 0\.3 and selfmva "):
            load_dataset("mvor", tmp_path)
        with pytest.raises(PluginError, match=r"'alone' .* of first 0.3 gave list, expected views, splits"):
            load_dataset("alone")  # found, and no dataset


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the toy plug-in, with a broken one beside it."""
    target = tmp_path_factory.mktemp("installed")
    install_plugin(PLUGINS / "toy_plugin", target)
    write_plugin(target, "broken-beside", "raise OSError('no driver')", broken_beside="broken_beside:X")
    return target


def test_an_installed_plugin_is_found_checked_and_loaded(installed: Path) -> None:
    program = """
import json, sys
from selfmva.datasets import check_adapter, list_datasets, load_dataset
from selfmva.errors import PluginError
found = {entry.name: [entry.distribution, entry.target, entry.error] for entry in list_datasets()}
imported = [module for module in sys.modules if module.startswith(("selfmva_toy", "broken_beside"))]
imported += [module for module in sys.modules if module in {f"selfmva.datasets.{name}" for name in found}]
toy = load_dataset("toy", length=6)
check_adapter(toy)
errors = []
for name, options in (("broken_beside", {}), ("toy", {"length": 0})):
    try:
        load_dataset(name, **options)
    except PluginError as error:
        errors.append(str(error))
print(json.dumps({"found": found, "imported": imported, "length": len(toy), "errors": errors}))
"""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    outcome = json.loads(done.stdout)
    assert outcome["found"]["toy"] == ["selfmva-toy 1.2", "selfmva_toy:Toy", None]
    assert outcome["found"]["broken_beside"] == ["broken-beside 0.3", "broken_beside:X", None]
    assert set(outcome["found"]) >= BUILT_IN
    assert outcome["imported"] == []
    assert outcome["length"] == 6
    assert "broken-beside 0.3 failed: OSError: no driver" in outcome["errors"][0]
    assert "selfmva-toy 1.2 failed: RuntimeError: a walk takes at least one step" in outcome["errors"][1]
