"""`selfmva track`: ids that last, as tables and files of the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from changed_rigs import rig, right_stream

from selfmva.io import write_boxes
from selfmva.metrics.tracking import score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with a model of four views, and a file with boxes of its cameras."""
    folder = tmp_path_factory.mktemp("track")
    rig()[0].save_pretrained(folder / "my-rig")
    write_boxes(folder / "boxes.json", right_stream()[:40])
    return folder / "my-rig", folder / "boxes.json"


def test_a_table_says_who_is_who(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    model, boxes = recording
    outcome = invoke("track", model, "--boxes", boxes, "--out", tmp_path / "tracks.csv", "--quiet")
    assert outcome.code == 0, outcome.err
    assert "Tracks(40 instants" in outcome.out
    table = pd.read_csv(tmp_path / "tracks.csv")
    expected = rig()[0].track(right_stream()[:40]).to_dataframe()
    assert table["id"].tolist() == expected["id"].tolist()
    assert list(table.columns) == list(expected.columns)


def test_a_folder_gets_files_of_the_field(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    model, boxes = recording
    outcome = invoke("track", model, "--boxes", boxes, "--out", tmp_path / "today", "--json")
    content = outcome.json()
    assert (content["instants"], content["problems"]) == (40, [])
    assert score(tmp_path / "today" / "mot", tmp_path / "today" / "mot").union.idf1 == 1.0


@pytest.mark.parametrize("ending", [".parquet", ".json"])
def test_other_files(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path, ending: str) -> None:
    model, boxes = recording
    outcome = invoke("track", model, "--boxes", boxes, "--out", tmp_path / f"tracks{ending}", "--quiet")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / f"tracks{ending}").stat().st_size > 0


def test_what_does_not_go_together_is_wrong_usage(invoke: Callable, recording: tuple[Path, Path]) -> None:
    model, boxes = recording
    outcome = invoke("track", model, "--boxes", boxes, "--rate", "5", "--out", "tracks.csv")
    assert outcome.code == 2
    assert "go with videos" in outcome.err
