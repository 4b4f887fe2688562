"""How single arguments are read, settings, progress, and output."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.cli.arguments import camera, cameras, file_ending_in, key_and_value, positive
from selfmva.cli.common import print_json
from selfmva.cli.main import build_parser
from selfmva.cli.progress import ProgressBar, progress_of
from selfmva.cli.settings import list_settings, read_settings
from selfmva.core.config import RECIPES, AssociatorConfig
from selfmva.core.types import View

if TYPE_CHECKING:
    from collections.abc import Callable

JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


@given(st.from_regex(r"[a-z_.]{1,20}", fullmatch=True), JSON_VALUES)
def test_json_values_round_trip(key: str, value: Any) -> None:
    assert key_and_value(f"{key}={json.dumps(value)}") == (key, value)


@pytest.mark.parametrize(("text", "value"), [("k=a=b", "a=b"), ("k=[1, 2]", [1, 2]), ("k=", ""), ("k={", "{")])
def test_other_values(text: str, value: Any) -> None:
    assert key_and_value(text) == ("k", value)


@pytest.mark.parametrize("text", ["", "k", "=3"])
def test_no_key_or_no_value(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected KEY=VALUE"):
        key_and_value(text)


def test_cameras(tmp_path: Path) -> None:
    specs = [camera(text) for text in ("640x480", "rear door:1920x1080", "a:b:3x4", str(tmp_path))]
    assert cameras(specs) == [View("view0", 640, 480), View("rear door", 1920, 1080), View("a:b", 3, 4), tmp_path]


@pytest.mark.parametrize("text", ["640", "640x", "x480", "door:640*480", "-3x4", "nowhere/images"])
def test_no_camera(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="NAME:WIDTHxHEIGHT"):
        camera(text)


def test_files_and_numbers() -> None:
    assert file_ending_in(".csv", ".json")("A.CSV") == Path("A.CSV")
    assert positive("12") == 12
    for text in ("0", "-1", "1.5", "²", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
            positive(text)


@pytest.mark.parametrize("recipe", RECIPES)
def test_settings_are_all_fields_with_their_defaults(recipe: str) -> None:
    fields = flatten(AssociatorConfig(recipe=RECIPES[recipe]()).model_dump())
    assert fields.pop("recipe.name") == recipe
    assert {setting.key: json.loads(setting.default) for setting in list_settings(recipe)} == fields
    assert all(setting.meaning and setting.allowed for setting in list_settings(recipe))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_setting_can_be_set(recipe: str) -> None:
    given_back = [part for setting in list_settings(recipe) for part in ("--set", f"{setting.key}={setting.default}")]
    args = build_parser().parse_args(["fit", "--out", "x", "--recipe", recipe, *given_back])
    assert AssociatorConfig(**read_settings(args)) == AssociatorConfig(recipe=RECIPES[recipe]())


def test_later_settings_win() -> None:
    args = build_parser().parse_args(["fit", "--out=x", "--seed=1", "--set=seed=2", "--set=seed=3", "--device=auto"])
    settings = read_settings(args)
    assert (settings["seed"], settings["device"], settings["recipe"].name) == (3, "auto", "auto")


def test_help_config(invoke: Callable) -> None:
    """It needs no other argument, and names every hyper-parameter."""
    outcome = invoke("fit", "--help-config")
    assert (outcome.code, outcome.err) == (0, "")
    for recipe in RECIPES:
        assert f"With --recipe {recipe}:" in outcome.out
        assert all(setting.key in outcome.out for setting in list_settings(recipe))


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "quiet", "as_json", "shown"),
    [
        (Terminal, False, False, True),
        (Terminal, True, False, False),
        (Terminal, False, True, False),
        (io.StringIO, False, False, False),
    ],
)
def test_progress_is_shown_to_those_who_watch(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], quiet: bool, as_json: bool, shown: bool
) -> None:
    error = stream()
    monkeypatch.setattr("sys.stderr", error)
    with progress_of(argparse.Namespace(quiet=quiet, json=as_json)) as progress:
        for completed in range(1, 8):
            progress("fit", completed, 7)
    assert ("7/7" in error.getvalue()) == shown
    assert bool(error.getvalue()) == shown


def test_one_bar_per_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed training begins where it was, and the rate counts only what is new."""
    error = Terminal()
    monkeypatch.setattr("sys.stderr", error)
    bar = ProgressBar()
    for completed in range(90, 101):
        bar("fit", completed, 100)
    bar("associate", 1, 3)
    bar.close()
    text = error.getvalue()
    assert "| 89/100 [" in text
    assert "| 100/100 [" in text
    assert "associate:  33%" in text
    assert text.endswith("\n")


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), 1.5, {"c": None}], "d": (1, "x")})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 1.5, {"c": None}], "d": [1, "x"]}
