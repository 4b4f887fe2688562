"""`selfmva encoders`: what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin_files import plugins_in, write_plugin

from selfmva.encoders import list_encoders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUILT_IN = {"onnx", "osnet-ain", "torchvision"}


def test_json(invoke: Callable) -> None:
    outcome = invoke("encoders", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    entries = outcome.json()["encoders"]
    assert {entry["name"] for entry in entries} >= BUILT_IN
    assert [entry["target"] for entry in entries] == [entry.target for entry in list_encoders()]


def test_table_tells_which_plugins_are_broken(invoke: Callable, tmp_path: Path) -> None:
    write_plugin(tmp_path, "first", "", "selfmva.encoders", fine="first:X", wrong="not a target")
    with plugins_in(tmp_path):
        lines = invoke("encoders").out.splitlines()
    assert lines[0].split() == ["name", "distribution", "state"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:]}
    assert set(rows) >= BUILT_IN
    assert rows["onnx"][0] == "selfmva"
    assert rows["onnx"][-1] == "ok"
    assert rows["fine"] == ["first", "0.3", "ok"]
    assert " ".join(rows["wrong"]).startswith("first 0.3 the entry point 'not a target' is not of the form")
