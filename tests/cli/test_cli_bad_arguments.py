"""Arguments that a shell or a script gets wrong: wrong usage or an error of ours, in one line, before any work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from plugin_files import plugins_in, write_plugin

from selfmva.core.types import Frame, View
from selfmva.io import write_boxes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = ("--views", "door:100x100", "hall:100x100")


@pytest.fixture
def boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of boxes, in the working directory."""
    monkeypatch.chdir(tmp_path)
    frames = [Frame([[[t, 5, t + 10, 40]], [[50, 5, 60, 40 + t]]], index=t) for t in range(20)]
    write_boxes(tmp_path / "boxes.csv", frames, [View("door", 100, 100), View("hall", 100, 100)])
    return tmp_path / "boxes.csv"


def one_line(outcome: Any, code: int, said: str) -> None:
    assert (outcome.code, outcome.out) == (code, ""), outcome
    assert said in outcome.err
    assert outcome.err.count("\n") == 1, outcome.err


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("fit", *SIZES, "--boxes", "boxes.csv", "--out", ""), "argument 8"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--out="), "option --out"),
        (("fit", *SIZES, "--boxes", "", "--out", "m"), "argument 6"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--checkpoint="), "option --checkpoint"),
        (("associate", "", "--boxes", "boxes.csv", "--out", "a.csv"), "argument 2"),
        (("associate", "wildtrack", "--boxes", "boxes.csv", "--out", ""), "argument 6"),
        (("associate", "wildtrack", "--boxes", "boxes.csv", "--out", "a.csv", "--picture", ""), "argument 8"),
        (("show", "", *SIZES, "--out", "a.png"), "argument 2"),
        (("report", "", "--out", "a.html"), "argument 2"),
        (("evaluate", "", "--dataset", "simulated"), "argument 2"),
        (("evaluate", "wildtrack", "--dataset", "wildtrack", "--root", ""), "argument 6"),
        (("export", "", "a.onnx"), "argument 2"),
        (("demo", "--out", ""), "argument 3"),
        (("",), "argument 1"),
    ],
)
def test_empty_arguments(invoke: Callable, boxes: Path, arguments: tuple[str, ...], place: str) -> None:
    one_line(invoke(*arguments), 2, f"{place} is empty; is a variable of the shell not set?")
    assert sorted(path.name for path in boxes.parent.iterdir()) == ["boxes.csv"]


def test_a_nul(invoke: Callable, boxes: Path) -> None:
    one_line(invoke("fit", *SIZES, "--boxes", "a\0.csv"), 2, "argument 6 has a NUL in it")
    assert boxes.exists()


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("fit", *SIZES, "--boxes", "boxes.csv", "--set", f"threads={10**20}"), 1, "threads"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--set", f"threads={10**9}"), 1, "threads"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--seed", "9" * 5000), 2, "--seed"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--set", f"seed={'9' * 5000}"), 1, "seed"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--set", "seed=" + "[" * 100_000), 1, "seed"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--checkpoint", "folder"), 1, "--checkpoint folder is a folder"),
        (("fit", *SIZES, "--boxes", "folder"), 1, "no .txt file in this folder"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--out", "boxes.csv"), 1, "cannot make the folder boxes.csv"),
        (("fit", *SIZES, "--boxes", "boxes.csv", "--out", LONG), 1, "got one that is too long"),
        (
            ("fit", *SIZES, "--boxes", f"{LONG}.csv"),
            1,
            "must be a path, got one that is too long",
        ),
        (("fit", *SIZES, "--boxes", "zero.csv"), 1, "zero.csv is no regular file"),
        (("fit", *SIZES, "--boxes", "pipe.json"), 1, "pipe.json is no regular file"),
        (("fit", "--views", LONG, "hall:9x9", "--boxes", "boxes.csv"), 2, "expected NAME:WIDTHxHEIGHT"),
        (("fit", "--views", "zero.csv", "hall:9x9", "--boxes", "boxes.csv"), 1, "zero.csv is no regular file"),
        (("fit", "--dataset", "simulated", "--option", "instants=1", "--recipe", "geometry"), 1, "a single instant"),
        (("fit", "--dataset", "simulated", "--option", "instants=1"), 1, "a single instant"),
        (("associate", "wildtrack", LONG, "--out", "a.csv"), 2, "does not exist"),
        (
            ("associate", "wildtrack", "--boxes", f"{LONG}.csv", "--out", "a.csv"),
            1,
            "must be a path, got one that is too long",
        ),
        (("associate", "wildtrack", "--boxes", "boxes.csv", "--out", f"{LONG}.csv"), 1, ""),
        (("associate", "wildtrack", "--boxes", "boxes.csv", "--out", "a.csv", "--every", "9" * 5000), 2, "--every"),
        (("show", "zero.csv", *SIZES, "--out", "a.png"), 1, "zero.csv is no regular file"),
        (
            ("show", f"{LONG}.csv", *SIZES, "--out", "a.png"),
            1,
            "must be a path, got one that is too long",
        ),
    ],
)
def test_arguments_that_cannot_be(
    invoke: Callable, boxes: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    folder = boxes.parent
    (folder / "folder").mkdir()
    (folder / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.json")
    outcome = invoke(*arguments)
    assert (outcome.code, outcome.out) == (code, ""), outcome
    assert said in outcome.err
    assert not (folder / "selfmva-model" / "config.json").exists()


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"detector": ' + "9" * 5000 + "}", '{"detector": 5, "least_score": 0.5}', "\xff", "null"],
)
def test_a_detector_file_that_is_none(invoke: Callable, boxes: Path, content: str) -> None:
    folder = boxes.parent / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "detector.json").write_text(content, encoding="latin-1")
    (boxes.parent / "a.mp4").touch()
    outcome = invoke("associate", folder, "a.mp4", "a.mp4", "--out", "a.csv")
    one_line(outcome, 1, "detector.json is damaged")
    assert "give --detector" in outcome.err


def test_a_plug_in_that_gives_no_data_set(invoke: Callable, tmp_path: Path) -> None:
    source = "class Odd:\n    def __init__(self, **options): pass\n"
    write_plugin(tmp_path, "odd-data", source, odd="odd_data:Odd")
    with plugins_in(tmp_path):
        for command in (("evaluate", "wildtrack"), ("fit",)):
            one_line(
                invoke(*command, "--dataset", "odd"),
                1,
                "odd-data 0.3 gave Odd, expected views, splits",
            )
