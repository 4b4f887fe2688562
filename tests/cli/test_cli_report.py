"""`selfmva report`: the page, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pages import read_page

from selfmva.io import VideoWriter, write_boxes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_of_a_labelled_data_set(
    invoke: Callable, model: Path, scene_arguments: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "report.html"
    outcome = invoke("report", model, *scene_arguments, "--out", path)
    assert (outcome.code, outcome.out) == (0, f"saved to {path}\n"), outcome.err
    page = read_page(path)
    assert "scores" in page.sections
    scores = invoke("evaluate", model, *scene_arguments, "--json").json()["scores"]["calibrated"]
    assert ["f1", f"{scores['f1']:.3f}", "harmonic mean of precision and recall"] in page.rows


def test_of_boxes_with_images(invoke: Callable, model: Path, scene: Any, tmp_path: Path) -> None:
    write_boxes(tmp_path / "boxes.json", [scene.frame(index) for index in range(3)])
    films = [tmp_path / f"{view.name}.mp4" for view in scene.views]
    for film, view in zip(films, scene.views, strict=True):
        with VideoWriter(film, rate=5, size=(view.width, view.height)) as writer:
            for _ in range(3):
                writer.write(np.full((view.height, view.width, 3), (200, 30, 30), np.uint8))
    outcome = invoke(
        *("report", model, "--boxes", tmp_path / "boxes.json", "--views", *films, "--blur", "faces"),
        *("--out", tmp_path / "report.html", "--json"),
    )
    assert outcome.json() == {"out": str(tmp_path / "report.html"), "instants": 3, "labelled": False}
    page = read_page(tmp_path / "report.html")
    assert "scores" not in page.sections
    instants = [picture for text, picture in page.pictures if "Instant" in text]
    assert instants
    assert all((picture[:, :, 2].astype(int) - picture[:, :, 0] > 100).mean() > 0.5 for picture in instants)  # BGR


def test_of_a_model_alone(invoke: Callable, model: Path, tmp_path: Path) -> None:
    outcome = invoke("report", model, "--out", tmp_path / "report.html", "--json")
    assert outcome.json() == {"out": str(tmp_path / "report.html"), "instants": 0, "labelled": False}
    assert read_page(tmp_path / "report.html").sections == ["learnt", "floor", "settings"]


def test_of_a_data_set_without_labels(invoke: Callable, model: Path, scene: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_boxes(tmp_path / "data" / "boxes.json", [scene.frame(index) for index in range(3)])
    sizes = [[view.width, view.height] for view in scene.views]
    outcome = invoke(
        *("report", model, "--dataset", "folder", "--root", tmp_path / "data", "--option", f"sizes={sizes}"),
        *("--split", "train", "--out", tmp_path / "report.html", "--json"),
    )
    assert outcome.code == 0, outcome.err
    assert outcome.json()["labelled"] is False
    assert "scores" not in read_page(tmp_path / "report.html").sections


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--boxes", "b.csv", "--dataset", "simulated"), 2, "give --boxes or --dataset, not both"),
        (("--split", "test"), 2, "--split goes with --dataset"),
        (("--views", "9x9"), 2, "--views goes with --boxes or --dataset"),
        (("--blur", "faces"), 2, "--blur and --rate go with --views"),
        (("--boxes", "nofile.csv"), 1, "nofile.csv does not exist"),
        (("--dataset", "nope"), 1, "no dataset is called 'nope'"),
        (("--boxes", "boxes.json", "--views", "9x9", "9x9"), 1, "--views are of sizes [(9, 9), (9, 9)]"),
        (("--boxes", "boxes.json", "--out", "report.pdf"), 2, "ends in .html, .htm, got 'report.pdf'"),
        (("--boxes", "boxes.json", "--out", "boxes.json/report.html"), 1, "cannot make the folder"),
    ],
)
def test_errors(
    invoke: Callable,
    model: Path,
    scene: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_boxes(tmp_path / "boxes.json", [scene.frame(0)])
    out = () if "--out" in options else ("--out", "report.html")
    outcome = invoke("report", model, *options, *out)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["boxes.json"]
