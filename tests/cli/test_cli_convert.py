"""`selfmva convert`: from a published checkpoint to a folder that all other commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from published_files import published_weights, write_published

from selfmva import Associator, View
from selfmva.datasets.mvor import MVOR_VIEWS
from selfmva.datasets.wildtrack import WILDTRACK_VIEWS
from selfmva.encoders.box import BoxEncoder
from selfmva.io import write_boxes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from selfmva.datasets.simulated import Simulated

VIEWS = (View("a", 640, 480), View("b", 320, 240))
SIZES = ("--views", "a:640x480", "b:320x240")


def untrained(views: Sequence[View]) -> BoxEncoder:
    return BoxEncoder(views, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_published(tmp_path / "best.pth.tar", published_weights(untrained(VIEWS)))


def test_it_says_the_licence_and_what_is_next(invoke: Callable, checkpoint: Path, tmp_path: Path) -> None:
    outcome = invoke("convert", checkpoint, *SIZES, "--out", tmp_path / "new" / "rig")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "2 views: a 640 x 480, b 320 x 240",
        "licence: the authors' weights are under CC BY-NC-SA 4.0, which stays with the converted ones",
        f"saved to {tmp_path / 'new' / 'rig'}",
        "",
        "It embeds at once but holds no probabilities: convert with --adapt BOXES to learn them, without labels.",
    ]
    boxes = np.array([[10, 20, 60, 200.0]])
    wanted = untrained(VIEWS)(torch.tensor(boxes).float(), torch.tensor([1]))
    found = Associator.from_pretrained(tmp_path / "new" / "rig").embed(1, boxes)
    np.testing.assert_allclose(found, wanted.detach(), rtol=0, atol=1e-5)


def test_json(invoke: Callable, checkpoint: Path, tmp_path: Path) -> None:
    outcome = invoke("convert", checkpoint, *SIZES, "--out", tmp_path / "rig", "--json")
    assert outcome.json() == {
        "model": str(tmp_path / "rig"),
        "views": [{"name": "a", "width": 640, "height": 480}, {"name": "b", "width": 320, "height": 240}],
        "prompt": "box",
        "calibrated": False,
        "report": None,
        "license": "CC BY-NC-SA 4.0",
    }
    assert "license: cc-by-nc-sa-4.0" in (tmp_path / "rig" / "README.md").read_text()


@pytest.mark.parametrize(("name", "views"), [("mvor", MVOR_VIEWS), ("wildtrack", WILDTRACK_VIEWS)])
def test_the_cameras_of_a_data_set(invoke: Callable, tmp_path: Path, name: str, views: tuple[View, ...]) -> None:
    path = write_published(tmp_path / "best.pth.tar", published_weights(untrained(views)))
    assert invoke("convert", path, "--like", name, "--out", tmp_path / "rig").code == 0
    assert Associator.from_pretrained(tmp_path / "rig").views_ == views


@pytest.mark.parametrize("as_json", [False, True])
def test_adapt_makes_probabilities(
    invoke: Callable, model: Path, scene: Simulated, tmp_path: Path, as_json: bool
) -> None:
    """A trained encoder, its boxes as a table: what `associate` says of the model is then calibrated."""
    path = write_published(tmp_path / "best.pth.tar", published_weights(Associator.from_pretrained(model).encoder_))
    write_boxes(tmp_path / "boxes.csv", [scene.frame(t) for t in scene.splits["train"]], scene.views)
    views = [f"{view.name}:{view.width}x{view.height}" for view in scene.views]
    arguments = ("--views", *views, "--adapt", tmp_path / "boxes.csv", "--out", tmp_path / "rig")
    outcome = invoke("convert", path, *arguments, *(["--json"] if as_json else []))
    assert (outcome.code, outcome.err) == (0, "")
    if as_json:
        assert outcome.json()["calibrated"]
        assert outcome.json()["report"]["pairs"]
    else:
        assert outcome.out.startswith("Learnt: ")
        assert outcome.out.endswith(f"Next: selfmva associate {tmp_path / 'rig'} --boxes today.csv --out people.csv\n")
    assert Associator.from_pretrained(tmp_path / "rig").associate(scene.frame(199)).calibrated


def test_boxes_that_teach_nothing(invoke: Callable, checkpoint: Path, tmp_path: Path) -> None:
    """The model is saved as it is without them, and a warning says so."""
    (tmp_path / "boxes.csv").write_text("frame,view,x1,y1,x2,y2\n0,0,1,1,9,9\n0,1,1,1,9,9\n1,0,1,1,9,9\n")
    arguments = ("--adapt", tmp_path / "boxes.csv", "--out", tmp_path / "rig", "--json")
    outcome = invoke("convert", checkpoint, *SIZES, *arguments)
    assert outcome.code == 0
    assert outcome.err.startswith("selfmva: warning: adapt() changed nothing")
    assert not outcome.json()["calibrated"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--like", "mvor"], 1, "best.pth.tar was trained on 2 views, got 3 cameras: give one for each view"),
        (["--like", "soldiers"], 2, "invalid choice: 'soldiers'"),
        (["--views", "640x480"], 1, "at least two views"),
        ([], 2, "one of the arguments --views --like is required"),
        ([*SIZES, "--like", "mvor"], 2, "argument --like: not allowed with argument --views"),
        ([*SIZES, "--adapt", "nowhere.csv"], 1, "nowhere.csv"),
        ([*SIZES, "--device", "abacus"], 1, "abacus"),
    ],
)
def test_errors_leave_no_folder(
    invoke: Callable, checkpoint: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    outcome = invoke("convert", checkpoint, *arguments, "--out", tmp_path / "rig")
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "rig").exists()


def test_a_failed_download(invoke: Callable, tmp_path: Path) -> None:
    (tmp_path / "w.pth.tar").write_text("<html>403 Forbidden</html>")
    outcome = invoke("convert", tmp_path / "w.pth.tar", *SIZES, "--out", tmp_path / "rig")
    assert outcome.code == 1
    assert "w.pth.tar is text ('<html>403 Forbidden</html>'...), no checkpoint: did its download fail?" in outcome.err


@pytest.mark.realdata
def test_golden_outputs(invoke: Callable, data_root: Path, tmp_path: Path) -> None:
    """From the published file through the folder to the embeddings of the published code."""
    path = data_root / "golden" / "mvor_s1_best.pth.tar"
    assert invoke("convert", path, "--like", "mvor", "--out", tmp_path).code == 0
    associator = Associator.from_pretrained(tmp_path)
    golden = np.load(data_root / "golden" / "mvor_s1_best_forward.npz")
    for view in range(3):
        for which, boxes in (("hand", golden["hand_boxes"]), ("frame", golden[f"frame_v{view}_boxes"])):
            found = associator.embed(view, boxes * np.float32([640, 480, 640, 480]))
            np.testing.assert_allclose(found, golden[f"{which}_v{view}_emb"], rtol=0, atol=1e-5)
