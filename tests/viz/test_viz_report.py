"""The page of a report: one whole file, and what it says is true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pages import read_page
from small_scenes import fit_quietly, fitted_on_a_floor, flat, frames_of, short

from selfmva import Associator, Tracker
from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError, NotFittedError
from selfmva.hub import convert_upstream
from selfmva.io import SynchronizedReader
from selfmva.metrics import evaluate
from selfmva.viz import write_report

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = ["learnt", "floor"]


def identities_of(recording, split: str = "test") -> list:
    return [recording.identities(index) for index in recording.splits[split]]


def test_fit_alone(tmp_path: Path) -> None:
    associator, _ = fitted_on_a_floor()
    write_report(tmp_path / "report.html", associator)
    page = read_page(tmp_path / "report.html")
    assert page.sections == [*ALWAYS, "settings"]
    report = associator.fit_report_
    assert report.summary() in page.text
    for row in report.rows():
        assert list(row) in page.rows
    assert [picture.shape for _, picture in page.pictures] == [(800, 800, 3)]
    assert ["recipe.steps", "20"] in page.rows
    assert ["association.threshold", "0.3"] in page.rows
    assert any(row[:1] == ["PyTorch"] for row in page.rows)
    assert page.charts == []
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_with_labels(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    frames = frames_of(recording, "test")
    write_report(tmp_path / "report.html", associator, frames, identities=identities_of(recording))
    page = read_page(tmp_path / "report.html")
    assert page.sections == [*ALWAYS, "health", "people", "timeline", "scores", "instants", "settings"]
    scores = evaluate(associator, recording)
    written = {row[0]: row[1] for row in page.rows if len(row) == 3}
    assert written["average precision"] == f"{scores.average_precision:.3f}"
    assert written["f1"] == f"{scores.f1:.3f}"
    assert written["box pairs"] == f"{scores.box_pairs:,}"
    pairs = [row for row in page.rows if len(row) == 8 and row[0].startswith("camera") and row[7] == f"{len(frames)}"]
    assert [row[:2] for row in pairs] == [["camera0", "camera1"], ["camera0", "camera2"], ["camera1", "camera2"]]
    bins = [row for row in page.rows if len(row) == 4 and " to " in row[0]]
    assert len(bins) == 10
    assert sum(int(row[1].replace(",", "")) for row in bins) == scores.box_pairs
    assert len(page.charts) == 5
    assert all(picture.shape[1] == 1200 for _, picture in page.pictures[1:])
    assert page.headings[-2] == "The worst instants"


def test_without_labels(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    frames = frames_of(recording, "test")
    write_report(tmp_path / "report.html", associator, iter(frames))
    page = read_page(tmp_path / "report.html")
    assert page.sections == [*ALWAYS, "health", "people", "timeline", "instants", "settings"]
    associations = list(associator.associate_many(frames))
    people = [len(association.groups()) for association in map(Tracker(associator).update, frames)]
    boxes = sum(sum(frame.counts) for frame in frames)
    assert f"{boxes:,} boxes at {len(frames)} instants are {sum(people):,} people" in page.text
    sure = [float(np.mean(np.concatenate(association.confidences()))) for association in associations]
    least = associations[int(np.argmin(sure))]
    assert page.pictures[1][0].endswith(
        f"Instant {least.index}: boxes are {min(sure):.0%} sure of their person on average"
    )
    assert len(page.pictures) == 4


def test_names_of_views_are_escaped(tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>", 'a" onload="b', "hall & <i>door</i>"]
    recording = short()
    views = [View(name, view.width, view.height) for name, view in zip(names, recording.views, strict=True)]
    associator = fit_quietly(flat(), views, frames_of(recording))
    write_report(tmp_path / "report.html", associator, frames_of(recording, "test"))
    page = read_page(tmp_path / "report.html")
    for name in names:
        assert any(name in row for row in page.rows)
        assert f"{name} (1280 x 720)" in page.text


def test_images_and_blur(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    stripes = np.zeros((2, 720, 1280, 3), np.uint8)
    stripes[:, :, ::8] = 255
    first = recording.frame(recording.splits["test"][0])
    frames = [replace(first, index=0)]
    sharpness = []
    with SynchronizedReader([stripes] * 3, rate=5) as reader:
        for blur in (None, "people"):
            write_report(tmp_path / "report.html", associator, frames, images=reader, blur=blur)  # type: ignore[arg-type]
            picture = read_page(tmp_path / "report.html").pictures[1][1].astype(int)
            sharpness.append(float(np.abs(np.diff(picture, axis=1)).mean()))
        with pytest.raises(InputError, match="no images of instant 9"):
            write_report(tmp_path / "other.html", associator, [replace(first, index=9)], images=reader)
    assert 3 < sharpness[1] < 0.99 * sharpness[0]


@pytest.mark.realdata
def test_converted_checkpoint_has_no_history(tmp_path: Path, data_root: Path) -> None:
    views = [View(f"view{k}", 640, 480) for k in range(3)]
    associator = convert_upstream(data_root / "golden" / "mvor_s1_best.pth.tar", views)
    frame = Frame([[[10, 20, 60, 200]], [[10, 20, 60, 200], [99, 20, 160, 200]], []])
    write_report(tmp_path / "report.html", associator, [frame])
    text = read_page(tmp_path / "report.html").text
    assert "nothing is known of its training" in text
    assert "No common floor was found" in text
    assert "No probabilities were learnt" in text


def test_nobody_anywhere(tmp_path: Path) -> None:
    associator, _ = fitted_on_a_floor()
    empty = [Frame([[], [], []], index=k) for k in range(2)]
    write_report(tmp_path / "report.html", associator, empty)
    assert "0 boxes at 2 instants are 0 people" in read_page(tmp_path / "report.html").text
    write_report(tmp_path / "report.html", associator, empty[:1], identities=[[[], [], []]])
    assert "No instant is in doubt" in read_page(tmp_path / "report.html").text


def test_errors_leave_the_old_page(tmp_path: Path) -> None:
    associator, recording = fitted_on_a_floor()
    path = tmp_path / "report.html"
    path.write_text("old")
    frames = frames_of(recording, "test")
    with pytest.raises(NotFittedError, match="call fit"):
        write_report(path, Associator())
    with pytest.raises(InputError, match="what to blur"):
        write_report(path, associator, blur="feet")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="there are no identities"):
        write_report(path, associator, frames, identities=[])
    with pytest.raises(InputError, match="has 2 views"):
        write_report(path, associator, [Frame([[], []])])
    with pytest.raises(DataError, match="cannot write"):
        write_report(tmp_path / "none" / "report.html", associator)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_says_whether_the_cameras_still_fit(tmp_path: Path) -> None:
    from changed_rigs import changed, of_view, rig, right_stream

    for frames, expected in (
        (right_stream(), "All fits, on 136 instants."),
        (changed(of_view(2, lambda b: b / 2)), "camera2: scaled since instant 48: its boxes are 0.5 times as large"),
    ):
        write_report(tmp_path / "report.html", rig()[0], frames)
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "Do the cameras still fit?" in page
        assert expected in page
