"""From video files to who is who on the command line, with a detector and a re-ID network from files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from films import (
    HEIGHT,
    WIDTH,
    Film,
    film,
    lose_end,
    write_colour_network,
    write_folders,
    write_head_finder,
    write_videos,
)
from pages import read_page

from selfmva import Associator, Tracker
from selfmva.cli.main import main
from selfmva.detectors import Yolox, detect
from selfmva.encoders import OnnxAppearance
from selfmva.io import SynchronizedReader, VideoFile, read_boxes, write_boxes
from selfmva.perception import observe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INSTANTS, RATE = 24, 10
QUICK = ("--set", "recipe.steps=2", "--set", "recipe.instants=8", "--set", "geometry.floor=false", "--quiet")
FILES = ["README.md", "boxes.csv", "config.json", "detector.json", "model.safetensors"]


class Rig(NamedTuple):
    """What a user has: videos, two networks, and a model that was fitted from them."""

    scene: Film
    videos: list[Path]
    detector: str
    appearance: str
    model: Path

    def fit(self, *more: object) -> tuple[object, ...]:
        return ("fit", *self.videos, "--detector", self.detector, "--appearance", self.appearance, *QUICK, *more)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Read only."""
    folder, scene = tmp_path_factory.mktemp("rig"), film(INSTANTS)
    detector, looks = write_head_finder(folder / "heads.onnx"), write_colour_network(folder / "colours.onnx")
    videos = write_videos(folder / "videos", scene.images, RATE)
    found = Rig(scene, videos, f"onnx:{detector}", f"onnx:{looks}", folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFMVA_CACHE", str(folder / "cache"))
        assert main([str(part) for part in found.fit("-o", found.model)]) == 0
    return found


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFMVA_CACHE", str(tmp_path / "cache"))


def mosaic_size(path: Path) -> tuple[int, int, float]:
    with VideoFile(path) as video:
        return len(video), video.width, round(video.rate, 6)


def one_line(outcome: Any, code: int, *said: str) -> None:
    assert (outcome.code, outcome.out) == (code, ""), outcome
    for words in said:
        assert words in outcome.err
    assert outcome.err.count("\n") == 1, outcome.err


def test_fit_leaves_a_model_that_knows_its_detector(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    outcome = invoke(*rig.fit("--least-score", 0.4, "--json", "-o", tmp_path / "rig"))
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("selfmva: warning: fit() found no geometry, people are told apart by what they look")
    content = outcome.json()
    assert content["model"] == str(tmp_path / "rig")
    assert content["views"] == [{"name": f"cam{v}", "width": WIDTH, "height": HEIGHT} for v in (0, 1)]
    assert content["report"]["appearance"] > 3
    assert sorted(path.name for path in (tmp_path / "rig").iterdir()) == FILES
    remembered = json.loads((tmp_path / "rig" / "detector.json").read_text())
    assert remembered == {"detector": rig.detector, "least_score": 0.4}
    boxes = read_boxes(tmp_path / "rig" / "boxes.csv", Associator.from_pretrained(rig.model).views_)
    detector = Yolox(rig.detector.removeprefix("onnx:"), least_score=0.4)
    with SynchronizedReader(rig.videos) as reader:
        for frame, found, drawn in zip(boxes, detect(reader, detector), rig.scene.frames, strict=True):
            for own, wanted, painted in zip(frame.boxes, found.boxes, drawn.boxes, strict=True):
                np.testing.assert_allclose(own, wanted, atol=0.01)
                np.testing.assert_allclose(sorted(own.tolist()), sorted(painted.tolist()), atol=0.01)


def test_associate_says_what_the_library_says(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    outcome = invoke("associate", rig.model, *rig.videos, "-o", f"{tmp_path / 'out'}/", "--json")
    people, mosaic = tmp_path / "out" / "people.csv", tmp_path / "out" / "mosaic.mp4"
    both = 3 * INSTANTS
    assert outcome.json() == {
        "out": str(people),
        "video": str(mosaic),
        "instants": INSTANTS,
        "boxes": 2 * both,
        "people": both,
        "shared": both,
        "pictures": None,
        "problems": [],
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mosaic.mp4", "people.csv"]
    assert mosaic_size(mosaic) == (INSTANTS, 1600, RATE)
    associator = Associator.from_pretrained(rig.model)
    detector, encoder = (
        kind(name.removeprefix("onnx:")) for kind, name in zip((Yolox, OnnxAppearance), rig[2:4], strict=True)
    )
    with SynchronizedReader(rig.videos) as reader:
        seen = list(observe(reader, detector=detector, appearance=encoder))
    wanted = pd.concat([a.to_dataframe() for a in map(Tracker(associator).update, seen)], ignore_index=True)
    pd.testing.assert_frame_equal(pd.read_csv(people), wanted, check_dtype=False, atol=1e-5)
    table = pd.read_csv(people)
    for t, who in enumerate(rig.scene.people):
        ids = []
        for view, order in enumerate(who):
            rows = table[(table.frame == t) & (table.view == view)].sort_values(["x1", "y1"])
            place = np.lexsort(rig.scene.frames[t].boxes[view][:, 1::-1].T)
            ids.append(rows.id.to_numpy()[np.argsort(order[place])])
        np.testing.assert_array_equal(*ids)  # the red one is the red one


def test_associate_into_a_file_writes_no_video(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    outcome = invoke("associate", rig.model, *rig.videos, "-o", tmp_path / "people.json", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    both = 3 * INSTANTS
    assert outcome.out.splitlines() == [
        f"{2 * both} boxes in {INSTANTS} instants: {both} of {both} people are seen in several views",
        f"saved to {tmp_path / 'people.json'}",
    ]
    assert len(read_boxes(tmp_path / "people.json", Associator.from_pretrained(rig.model).views_)) == INSTANTS
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["people.json"]


def test_the_default_model_and_boxes_with_videos(
    invoke: Callable, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fitted without -o, used without a name; with boxes, instants are those of the boxes, and looks are still seen."""
    monkeypatch.chdir(tmp_path)
    assert invoke(*rig.fit()).code == 0
    assert sorted(path.name for path in (tmp_path / "selfmva-model").iterdir()) == FILES
    assert invoke("associate", *rig.videos, "-o", "out", "--quiet").code == 0
    whole = pd.read_csv("out/people.csv")
    write_boxes("few.csv", rig.scene.frames[4:9])
    outcome = invoke("associate", *rig.videos, "--boxes", "few.csv", "-o", "few", "--blur", "people", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert mosaic_size(tmp_path / "few" / "mosaic.mp4") == (5, 1600, RATE)
    few = pd.read_csv("few/people.csv")
    assert sorted(few.frame.unique()) == [4, 5, 6, 7, 8]
    assert few.groupby("frame").id.nunique().tolist() == [3] * 5
    assert whole.groupby("frame").id.nunique().tolist() == [3] * INSTANTS
    outcome = invoke("associate", "--boxes", "few.csv", "-o", "bare.csv", "--quiet")  # no video: no looks
    assert outcome.code == 0
    assert "instant 4 comes without images or features" in outcome.err
    assert outcome.err.count("\n") == 1


def test_fit_with_boxes_and_videos(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    """Then no detector is remembered, and one that was is forgotten."""
    write_boxes(tmp_path / "boxes.csv", rig.scene.frames)
    shutil.copytree(rig.model, tmp_path / "rig")
    arguments = ("--boxes", tmp_path / "boxes.csv", "--appearance", rig.appearance, *QUICK, "-o", tmp_path / "rig")
    assert invoke("fit", *rig.videos, *arguments).code == 0
    assert not (tmp_path / "rig" / "detector.json").exists()
    assert Associator.from_pretrained(tmp_path / "rig").appearance_ is not None
    one_line(
        invoke("associate", tmp_path / "rig", *rig.videos, "-o", tmp_path / "out"),
        2,
        "was not fitted with a detector: give --detector, or --boxes",
    )
    outcome = invoke(
        "associate", tmp_path / "rig", *rig.videos, "--detector", rig.detector, "-o", tmp_path / "o.csv", "--json"
    )
    assert outcome.json()["shared"] == 3 * INSTANTS


def test_folders_of_images(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    folders = write_folders(tmp_path / "images", [images[:6] for images in rig.scene.images])
    outcome = invoke("associate", rig.model, *folders, "--rate", 4, "-o", tmp_path / "out", "--json")
    assert outcome.json()["instants"] == 6
    assert mosaic_size(tmp_path / "out" / "mosaic.mp4") == (6, 1600, 4)
    outcome = invoke("associate", rig.model, *folders, "-o", tmp_path / "out", "--json")
    assert mosaic_size(tmp_path / "out" / "mosaic.mp4") == (6, 1600, 1)


def test_show_and_report_read_the_results(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    assert invoke("associate", rig.model, *rig.videos, "-o", tmp_path / "out", "--quiet").code == 0
    people = tmp_path / "out" / "people.csv"
    assert invoke("show", people, "--views", *rig.videos, "--out", tmp_path / "all.mp4", "--json").json() == {
        "files": [str(tmp_path / "all.mp4")],
        "instants": INSTANTS,
    }
    assert mosaic_size(tmp_path / "all.mp4") == mosaic_size(tmp_path / "out" / "mosaic.mp4")
    page = tmp_path / "report.html"
    outcome = invoke("report", rig.model, "--boxes", people, "--views", *rig.videos, "--out", page, "--json")
    assert outcome.json() == {"out": str(page), "instants": INSTANTS, "labelled": False}
    assert outcome.err == ""  # the looks come from the videos
    assert any("Instant" in text for text, _ in read_page(page).pictures)


def test_the_second_fit_finds_what_the_first_one_kept(
    invoke: Callable, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, read = [], VideoFile.read

    def counted(self: VideoFile, index: int) -> np.ndarray:
        opened.append(index)
        return read(self, index)

    monkeypatch.setattr(VideoFile, "read", counted)
    assert invoke(*rig.fit("-o", tmp_path / "one")).code == 0
    assert len(opened) == 2 * INSTANTS  # detector and encoder share each image
    opened.clear()
    assert invoke(*rig.fit("-o", tmp_path / "two")).code == 0
    assert opened == []
    assert (tmp_path / "one" / "boxes.csv").read_bytes() == (tmp_path / "two" / "boxes.csv").read_bytes()


@pytest.fixture
def spoilt(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that can go wrong, and the working directory."""
    monkeypatch.chdir(tmp_path)
    write_videos(tmp_path / "small", [images[:, :90] for images in rig.scene.images])
    data = rig.videos[0].read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "text.onnx").write_text("no network")
    folders = write_folders(tmp_path / "images", [images[:6] for images in rig.scene.images])
    (folders[1] / "3.png").write_bytes(b"broken")
    write_boxes(tmp_path / "boxes.csv", rig.scene.frames)
    (tmp_path / "empty").mkdir()
    return tmp_path


FIT, ASSOCIATE = ("fit", "-o", "m", *QUICK), ("associate", "-o", "out", "--quiet")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((*FIT, "A", "B"), 2, "videos and --detector"),
        ((*FIT, "A", "B", "--detector", "D", "--boxes", "boxes.csv"), 2, "videos and --detector"),
        (
            (*FIT, "A", "B", "--views", "A", "B", "--detector", "D"),
            2,
            "give the cameras once: as videos, or with --views",
        ),
        ((*FIT, "A", "nofile.mp4", "--detector", "D"), 2, "a folder of images or a video file, got 'nofile.mp4'"),
        ((*FIT, "160x120", "160x120", "--detector", "D"), 2, "--detector needs a video file or a folder of images of"),
        ((*FIT, "A", "160x120", "--detector", "D"), 2, "--detector needs a video file or a folder of images of every"),
        ((*FIT, "A", "--detector", "D"), 1, "at least two views are needed"),
        ((*FIT, "A", "B", "--detector", "heads.onnx"), 1, "no detector is called 'heads.onnx'; Known: onnx"),
        ((*FIT, "A", "B", "--detector", "onnx:no.onnx"), 1, "no.onnx cannot be read: No such file"),
        ((*FIT, "A", "B", "--detector", "onnx:text.onnx"), 1, "text.onnx cannot be opened as an ONNX model"),
        ((*FIT, "A", "B", "--detector", "R"), 1, "colours.onnx is not YOLOX"),
        (
            (*FIT, "A", "B", "--detector", "D", "--least-score", "2"),
            1,
            "least_score must be a finite number from 0 to 1, got 2",
        ),
        ((*FIT, "A", "B", "--detector", "D", "--least-score", "1"), 1, "nothing to learn from"),
        ((*FIT, "A", "B", "--detector", "D", "--appearance", "D"), 1, "heads.onnx is no re-ID network"),
        ((*FIT, "A", "B", "--detector", "D", "--appearance", "osnet"), 1, "did you mean 'osnet-ain'?"),
        ((*FIT, "160x120", "160x120", "--boxes", "boxes.csv", "--appearance", "R"), 1, "appearance needs images"),
        ((*FIT, "A", "text.mp4", "--detector", "D"), 1, "cannot read text.mp4 as a video"),
        ((*FIT, "cut.mp4", "B", "--detector", "D"), 1, "cannot read cut.mp4 as a video; is it damaged"),
        ((*FIT, "A", "images/cam1", "--detector", "D"), 2, "folders of images beside videos don't say how many"),
        ((*FIT, "160x120", "160x120", "--boxes", "boxes.csv", "--rate", "2"), 2, "--least-score and --rate go with"),
        ((*FIT, "empty", "empty", "--detector", "D"), 1, "no image in empty"),
        ((*FIT, "images/cam0", "images/cam1", "--detector", "D"), 1, "cannot read images/cam1/3.png"),
        (
            (*ASSOCIATE, "M", "A", "nofile.mp4"),
            2,
            "'nofile.mp4' does not exist; expected a video or a folder of images",
        ),
        ((*ASSOCIATE, "nofile.mp4", "B"), 2, "'nofile.mp4' does not exist; expected a video or a folder of images"),
        ((*ASSOCIATE, "A", "B"), 2, "no model is given, and there is no folder selfmva-model here: run `selfmva fit`"),
        ((*ASSOCIATE, "nomodel", "A", "B"), 2, "'nomodel' is no folder here: expected one made by `selfmva fit`, then"),
        ((*ASSOCIATE, "M", "A"), 1, "1 cameras for the 2 views of"),
        ((*ASSOCIATE, "M", "small/cam0.mp4", "small/cam1.mp4"), 1, "the videos are of sizes [(160, 90), (160, 90)]"),
        (
            (*ASSOCIATE, "M", "A", "B", "--detector", "D", "--boxes", "boxes.csv"),
            2,
            "give the boxes once: with --boxes,",
        ),
        ((*ASSOCIATE, "M", "--boxes", "boxes.csv", "--detector", "D"), 2, "give the boxes once"),
        ((*ASSOCIATE, "M", "--boxes", "boxes.csv", "--blur", "faces"), 2, "--blur go with videos"),
        ((*ASSOCIATE, "M"), 2, "give either --boxes or --dataset, or videos"),
        ((*ASSOCIATE, "M", "A", "B", "--detector", "onnx:text.onnx"), 1, "text.onnx cannot be opened as an ONNX"),
        ((*ASSOCIATE, "M", "A", "text.mp4"), 1, "the cameras are called cam0, text, the views cam0, cam1"),
        ((*ASSOCIATE, "M", "images/cam0", "images/cam1"), 1, "cannot read images/cam1/3.png"),
        (("associate", "M", "A", "B", "-o", "out.xml"), 2, "ends in .csv, .parquet, .json, or a folder, got 'out.xml'"),
        (("associate", "M", "A", "B", "-o", "boxes.csv/out"), 1, "cannot make the folder"),
    ],
)
def test_errors(invoke: Callable, rig: Rig, spoilt: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """One line each; nothing half written."""
    places = {"A": rig.videos[0], "B": rig.videos[1], "D": rig.detector, "R": rig.appearance, "M": rig.model}
    one_line(invoke(*(places.get(argument, argument) for argument in arguments)), code, said)
    for left in ("m/config.json", "m/boxes.csv", "out/people.csv", "out/mosaic.mp4", "out.xml"):
        assert not (spoilt / left).exists()


def test_a_damaged_detector_file(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    shutil.copytree(rig.model, tmp_path / "rig")
    for content in ("", "[]", "{}", '{"detector": "onnx:x"}'):
        (tmp_path / "rig" / "detector.json").write_text(content)
        outcome = invoke("associate", tmp_path / "rig", *rig.videos, "-o", tmp_path / "out")
        one_line(outcome, 1, "detector.json is damaged", "give --detector")


def test_a_video_that_is_damaged_in_the_middle(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    """Its index promises more images than there are: the first that is lost is named, and no half a result is left."""
    lost = write_videos(tmp_path / "lost", rig.scene.images, RATE)
    lose_end(lost[1], 0.4)
    for command in (("fit", "--detector", rig.detector, *QUICK, "-o", tmp_path / "m"), ("associate", rig.model)):
        more = () if command[0] == "fit" else ("-o", tmp_path / "out", "--quiet")
        one_line(invoke(*command, *lost, *more), 1, "lost/cam1.mp4: cannot decode image", "is damaged or ends early")
    assert list((tmp_path / "out").iterdir()) == list((tmp_path / "m").iterdir()) == []


def test_a_video_that_ends_early(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    """A camera that was stopped before the other: the last instants are without its view."""
    short = write_videos(tmp_path / "short", [rig.scene.images[0], rig.scene.images[1][:10]], RATE)
    outcome = invoke("associate", rig.model, *short, "-o", tmp_path / "out", "--json")
    assert outcome.json()["instants"] == INSTANTS
    table = pd.read_csv(tmp_path / "out" / "people.csv")
    assert (table[table.view == 1].frame.max(), table[table.view == 0].frame.max()) == (9, INSTANTS - 1)
    assert outcome.json()["shared"] == 30
