"""`selfmva check`, and what `selfmva associate` says of the same: the exit code tells whether a model still fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from changed_rigs import EVERYONE, changed, reordered, rig, right_stream

from selfmva.io import write_boxes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selfmva import Frame

FITS, DOES_NOT_FIT = 0, 3


@pytest.fixture(scope="module")
def four_views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of four views."""
    folder = tmp_path_factory.mktemp("check") / "my-rig"
    rig()[0].save_pretrained(folder)
    return folder


def written(frames: list[Frame], folder: Path) -> Path:
    write_boxes(folder / "boxes.json", frames)
    return folder / "boxes.json"


def test_a_right_stream_fits(invoke: Callable, four_views: Path, tmp_path: Path) -> None:
    boxes = written(right_stream(), tmp_path)
    outcome = invoke("check", four_views, "--boxes", boxes, "--quiet")
    assert outcome.code == FITS, outcome.err
    assert "all fits, on 136 instants" in outcome.out
    assert all(view in outcome.out for view in EVERYONE)
    content = invoke("check", four_views, "--boxes", boxes, "--json").json()
    assert (content["ok"], content["problems"], content["instants"]) == (True, [], 136)


def test_what_does_not_fit_is_named(invoke: Callable, four_views: Path, tmp_path: Path) -> None:
    boxes = written(changed(reordered(0, 3, 2, 1)), tmp_path)
    outcome = invoke("check", four_views, "--boxes", boxes, "--quiet")
    assert outcome.code == DOES_NOT_FIT
    assert "camera1: swapped since instant 48: it shows what camera3 should" in outcome.out
    outcome = invoke("check", four_views, "--boxes", boxes, "--json")
    assert outcome.code == DOES_NOT_FIT
    assert [problem["view"] for problem in outcome.json()["problems"]] == ["camera1", "camera3"]


def test_associate_says_it_once(invoke: Callable, four_views: Path, tmp_path: Path) -> None:
    boxes = written(changed(reordered(0, 3, 2, 1)), tmp_path)
    outcome = invoke("associate", four_views, "--boxes", boxes, "--out", tmp_path / "people.csv", "--quiet")
    assert outcome.code == 0
    said = [line for line in outcome.err.splitlines() if "no longer fit" in line]
    assert len(said) == 1
    assert said[0].startswith("selfmva: warning: camera1 and camera3 no longer fit what was learnt since instant 48")
    assert "camera1 and camera3 did not fit: `selfmva check` says more" in outcome.out
    outcome = invoke("associate", four_views, "--boxes", boxes, "--out", tmp_path / "people.csv", "--json")
    assert {problem["kind"] for problem in outcome.json()["problems"]} == {"swapped"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either --boxes or --dataset"),
        (["--boxes", "a.csv", "--split", "test"], "--split goes with --dataset"),
        (["--boxes", "a.csv", "--rate", "2"], "go with videos"),
        (["--boxes", "a.csv", "--dataset", "simulated"], "give either --boxes or --dataset"),
    ],
)
def test_wrong_usage(invoke: Callable, four_views: Path, arguments: list[str], message: str) -> None:
    outcome = invoke("check", four_views, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
