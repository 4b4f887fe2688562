"""`selfmva detectors` and `selfmva encoders`: what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from plugin_files import plugins_in, write_plugin

from selfmva.detectors import list_detectors
from selfmva.encoders import list_encoders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUILT_IN = {"detectors": {"onnx", "torchvision"}, "encoders": {"onnx", "osnet-ain", "torchvision"}}
LISTS = {"detectors": list_detectors, "encoders": list_encoders}


@pytest.mark.parametrize("kinds", BUILT_IN)
def test_json(invoke: Callable, kinds: str) -> None:
    outcome = invoke(kinds, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    entries = outcome.json()[kinds]
    assert {entry["name"] for entry in entries} >= BUILT_IN[kinds]
    assert [entry["target"] for entry in entries] == [entry.target for entry in LISTS[kinds]()]


@pytest.mark.parametrize("kinds", BUILT_IN)
def test_table_tells_which_plugins_are_broken(invoke: Callable, tmp_path: Path, kinds: str) -> None:
    write_plugin(tmp_path, "first", "", f"selfmva.{kinds}", fine="first:X", wrong="not a target")
    with plugins_in(tmp_path):
        lines = invoke(kinds).out.splitlines()
    assert lines[0].split() == ["name", "distribution", "state"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:]}
    assert set(rows) >= BUILT_IN[kinds]
    assert rows["onnx"][0] == "selfmva"
    assert rows["onnx"][-1] == "ok"
    assert rows["fine"] == ["first", "0.3", "ok"]
    assert " ".join(rows["wrong"]).startswith("first 0.3 the entry point 'not a target' is not of the form")
