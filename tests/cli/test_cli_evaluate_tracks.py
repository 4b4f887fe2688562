"""`selfmva evaluate` of tracks: what `score` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selfmva import Associator, Frame
from selfmva.io import write_boxes
from selfmva.metrics.tracking import Trajectories, score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any


@pytest.fixture(scope="module")
def files(model: Path, scene: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks and labels of the test split."""
    folder = tmp_path_factory.mktemp("scored")
    test = scene.splits["test"]
    tracks = Associator.from_pretrained(model).track([scene.frame(t) for t in test])
    tracks.to_dataframe().to_csv(folder / "tracks.csv", index=False)
    tracks.to_mot(folder / "mot")
    write_boxes(folder / "labels.csv", [Frame(scene.frame(t).boxes, t, track_ids=scene.identities(t)) for t in test])
    return folder


def test_labels_from_a_file_or_a_data_set(
    invoke: Callable, files: Path, scene: Any, scene_arguments: tuple[str, ...]
) -> None:
    wanted = score(Trajectories.from_dataset(scene, "test"), files / "tracks.csv")
    assert wanted.union.idf1 > 0.9
    for arguments in (("--truth", files / "labels.csv"), scene_arguments):
        content = invoke("evaluate", files / "tracks.csv", *arguments, "--json").json()
        assert set(content["scores"]) == {*wanted.view_names, "union"}
        assert content["scores"]["union"]["idf1"] == pytest.approx(wanted.union.idf1)
        assert content["scores"]["union"]["mota"] == pytest.approx(wanted.union.mota)
    outcome = invoke("evaluate", files / "mot", "--truth", files / "labels.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(wanted.summary().splitlines()[0][:4])
    assert f"{wanted.union.idf1:.3f}" in outcome.out


def test_only_the_instants_of_the_truth_count(invoke: Callable, files: Path, scene: Any, tmp_path: Path) -> None:
    few = scene.splits["test"][10:20]
    write_boxes(tmp_path / "few.csv", [Frame(scene.frame(t).boxes, t, track_ids=scene.identities(t)) for t in few])
    content = invoke("evaluate", files / "tracks.csv", "--truth", tmp_path / "few.csv", "--json").json()
    wanted = score(tmp_path / "few.csv", files / "tracks.csv", instants=few)
    assert content["scores"]["union"]["hota"] == pytest.approx(wanted.union.hota)
    write_boxes(tmp_path / "late.csv", [Frame(scene.frame(0).boxes, 9000, track_ids=scene.identities(0))])
    outcome = invoke("evaluate", files / "tracks.csv", "--truth", tmp_path / "late.csv")
    assert outcome.code == 1
    assert "none in common" in outcome.err


def test_wrong_usage(invoke: Callable, files: Path, model: Path, scene_arguments: tuple[str, ...]) -> None:
    for arguments, said in (
        ((model, "--truth", files / "labels.csv"), "--truth goes with tracks"),
        ((files / "tracks.csv", *scene_arguments, "--protocol", "both"), "go with a model"),
        ((files / "tracks.csv",), "one of the arguments --dataset --truth is required"),
    ):
        outcome = invoke("evaluate", *arguments)
        assert outcome.code == 2
        assert said in outcome.err
