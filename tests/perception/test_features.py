"""Appearance from images: features are those of the encoder, whatever brings the images; what is missing is said."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from films import Film, film, write_colour_network, write_folders, write_videos

from selfmva import Associator
from selfmva.core.config import AppearanceConfig
from selfmva.core.types import Frame, View
from selfmva.encoders import OnnxAppearance
from selfmva.errors import (
    AppearanceMissingWarning,
    CheckpointError,
    DataError,
    GeometryMissingWarning,
    InputError,
    NotFittedError,
    PluginError,
)
from selfmva.io import SynchronizedReader
from selfmva.io.video.view_argument import resolve_views
from selfmva.perception.features import FeatureExtractor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from selfmva.association.association import Association

INSTANTS = 24
QUICK: dict[str, Any] = {"recipe": {"name": "batch", "steps": 2, "instants": 8}, "geometry": {"floor": False}}
SIZES = [(160, 120)] * 2
# The planes of a colour may not be all that it gives: other numbers, other features, and a length that is not 3.
WEIGHTS = np.array([[2.0, 0, 0, 1], [0, 2, 0, 1], [0, 0, 2, 1]])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFMVA_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_colour_network(tmp_path_factory.mktemp("networks") / "colours.onnx", WEIGHTS)


@cache
def scene() -> Film:
    return film(INSTANTS)


def fit_by_looks(associator: Associator, views: Any, frames: Any, **options: Any) -> Associator:
    """No geometry joins the views of a film, which the associator says."""
    with pytest.warns(GeometryMissingWarning, match="found no geometry, people are told apart by what they look like"):
        return associator.fit(views, frames, **options)


@pytest.fixture(scope="module")
def fitted(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Associator:
    """On the film as arrays; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFMVA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return fit_by_looks(Associator(appearance=f"onnx:{network}", **QUICK), scene().images, scene().frames)


def by_hand(network: Path, frame: Frame, images: Sequence[np.ndarray]) -> Frame:
    """Features image by image."""
    encoder = OnnxAppearance(network)
    return replace(frame, features=tuple(encoder([i], [b])[0] for i, b in zip(images, frame.boxes, strict=True)))


def pictures(instant: int) -> list[np.ndarray]:
    return [images[instant] for images in scene().images]


def with_images(instant: int, images: Sequence[np.ndarray | None] | None = None) -> Frame:
    return replace(scene().frames[instant], images=tuple(pictures(instant) if images is None else images))


def same(one: Association, other: Association) -> None:
    assert all(map(np.array_equal, one.ids, other.ids))
    for pair, probability in one.probabilities.items():
        np.testing.assert_allclose(probability, other.probabilities[pair], atol=1e-6)


SOURCES: dict[str, Callable[[Path], Any]] = {
    "arrays": lambda _: scene().images,
    "folders": lambda folder: write_folders(folder / "images", scene().images),
    "videos": lambda folder: write_videos(folder / "videos", scene().images),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_features_are_those_of_the_encoder(kind: str, network: Path, tmp_path: Path) -> None:
    """What fit() learns from images is what it learns from features that were computed by hand."""
    views = SOURCES[kind](tmp_path)
    with SynchronizedReader(views, rate=None if kind == "videos" else 1) as reader:
        seen = [by_hand(network, frame, reader[frame.index].images) for frame in scene().frames]
    looks = AppearanceConfig(encoder=f"onnx:{network}")
    found = FeatureExtractor(looks, "cpu").describe_recording(scene().frames, views, resolve_views(views))
    for frame, expected in zip(found, seen, strict=True):
        assert frame.images is None
        for features, wanted in zip(frame.features or (), expected.features or (), strict=True):
            assert features.shape == (3, 4)
            np.testing.assert_allclose(features, wanted, atol=1e-5)
    one = fit_by_looks(Associator(appearance=looks, **QUICK), views, scene().frames)
    other = fit_by_looks(Associator(**QUICK), [(160, 120)] * 2, seen)
    assert one.appearance_ == OnnxAppearance(network).identity
    assert other.appearance_ == "frames"
    same(one.associate(seen[3]), other.associate(seen[3]))


def test_people_are_told_apart_by_their_clothes(fitted: Associator) -> None:
    """Nothing else joins the views: without clothes, nobody is."""
    shown = list(fitted.associate_many(with_images(t) for t in range(INSTANTS)))
    assert scene().rates([association.ids for association in shown]) == 1.0
    dark = [np.zeros_like(image) for image in pictures(0)]
    assert fitted.associate(with_images(0, dark)).probability(0, 1).max() < 0.9
    assert fitted.fit_report_.appearance > 3
    assert not fitted.fit_report_.geometry_found


def test_frames_with_images_and_frames_with_features(network: Path, fitted: Associator) -> None:
    frames = scene().frames
    same(fitted.associate(with_images(7)), fitted.associate(by_hand(network, frames[7], pictures(7))))
    other = Associator(appearance=f"onnx:{network}", **QUICK)
    fit_by_looks(other, SIZES, [with_images(t) for t in range(INSTANTS)])  # sizes: the frames bring the images
    assert other.appearance_ == fitted.appearance_
    same(other.associate(with_images(7)), fitted.associate(with_images(7)))


def test_saved_and_loaded(network: Path, fitted: Associator, tmp_path: Path) -> None:
    fitted.save_pretrained(tmp_path / "rig")
    loaded = Associator.from_pretrained(tmp_path / "rig")
    assert loaded.appearance_ == fitted.appearance_
    assert loaded.get_params()["appearance"].encoder == f"onnx:{network}"
    same(loaded.associate(with_images(5)), fitted.associate(by_hand(network, scene().frames[5], pictures(5))))


def test_another_encoder_under_the_same_name(tmp_path: Path) -> None:
    path = write_colour_network(tmp_path / "re-id.onnx", WEIGHTS)
    associator = fit_by_looks(Associator(appearance=f"onnx:{path}", **QUICK), scene().images, scene().frames)
    associator.save_pretrained(tmp_path / "rig")
    write_colour_network(path, 2 * WEIGHTS)
    loaded = Associator.from_pretrained(tmp_path / "rig")
    with pytest.raises(
        CheckpointError, match=r"learnt with the features of onnx re-id .*re-id\.onnx is now onnx re-id"
    ):
        loaded.associate(with_images(0))
    path.unlink()
    with pytest.raises(CheckpointError, match=r"re-id\.onnx cannot be read"):
        loaded.associate(with_images(0))
    associator.associate(with_images(0))  # it holds the network that it learnt with


def test_appearance_without_images(network: Path) -> None:
    for views in (SIZES, [scene().images[0], (160, 120)], [View("door", 160, 120), View("hall", 160, 120)]):
        with pytest.raises(
            InputError, match=r"needs images: give every view as a video .*or boxes as Frame\(boxes, im"
        ):
            Associator(appearance=f"onnx:{network}", **QUICK).fit(views, scene().frames)


def test_images_of_another_size(network: Path, fitted: Associator, tmp_path: Path) -> None:
    small = [pictures(0)[0], pictures(0)[1][:90]]
    with pytest.raises(InputError, match=r"view 1 \('view1'\): the image has 160 x 90 pixels, the view 160 x 120"):
        fitted.associate(with_images(0, small))
    with pytest.raises(InputError, match=r"view 1 \('view1'\): the image has 160 x 90 pixels"):
        Associator(appearance=f"onnx:{network}", **QUICK).fit(SIZES, [with_images(0, small)])
    folders = write_folders(tmp_path, scene().images)
    (folders[1] / "9.png").write_bytes(
        (write_folders(tmp_path / "x", [scene().images[0][:1, :90]])[0] / "0.png").read_bytes()
    )
    with pytest.raises(DataError, match=r"9\.png has 160 x 90 pixels, .*0\.png has 160 x 120"):
        Associator(appearance=f"onnx:{network}", **QUICK).fit(folders, scene().frames)


def test_boxes_of_instants_that_were_not_filmed(network: Path) -> None:
    with pytest.raises(InputError, match="boxes of instant 20, but the reader has 20 instants.* end early"):
        Associator(appearance=f"onnx:{network}", **QUICK).fit([i[:20] for i in scene().images], scene().frames)


def test_damaged_images(network: Path, tmp_path: Path) -> None:
    folders = write_folders(tmp_path, scene().images)
    (folders[0] / "11.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"cam0.11\.png"):
        Associator(appearance=f"onnx:{network}", **QUICK).fit(folders, scene().frames)


def test_grey_and_transparent_images(fitted: Associator) -> None:
    alpha = [np.dstack([image, np.full(image.shape[:2], t, np.uint8)]) for t, image in enumerate(pictures(4))]
    same(fitted.associate(with_images(4, alpha)), fitted.associate(with_images(4)))
    grey = [image.mean(axis=2).astype(np.uint8) for image in pictures(4)]
    planes = [np.repeat(image[:, :, None], 3, axis=2) for image in grey]
    same(fitted.associate(with_images(4, grey)), fitted.associate(with_images(4, planes)))


def hidden(frame: Frame, views: Sequence[int]) -> Frame:
    """Features of NaN in some views."""
    features = frame.features or ()
    return replace(frame, features=tuple(np.full_like(f, np.nan) if v in views else f for v, f in enumerate(features)))


@pytest.mark.parametrize("absent", [1, 0])
def test_a_view_without_an_image(network: Path, fitted: Associator, absent: int) -> None:
    """Of its boxes nothing is known; the others' features are what they are."""
    images = [None if view == absent else image for view, image in enumerate(pictures(6))]
    expected = by_hand(network, scene().frames[6], pictures(6))
    found = fitted.associate(with_images(6, images))
    same(found, fitted.associate(hidden(expected, (absent,))))
    features = found.frame.features or ()
    assert np.isnan(features[absent]).all()
    np.testing.assert_allclose(features[1 - absent], (expected.features or ())[1 - absent], atol=1e-6)


def test_no_view_with_an_image(fitted: Associator, tmp_path: Path) -> None:
    """As boxes without images; where nobody is seen, there is nothing to warn of."""
    fitted.save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    loaded.associate(Frame([[], []], images=[None, None]))
    with pytest.warns(AppearanceMissingWarning, match="instant 6 comes without images"):
        found = loaded.associate(with_images(6, [None, None]))
    same(found, loaded.associate(scene().frames[6]))


def test_a_recording_with_instants_without_images(network: Path) -> None:
    """They are instants whose looks are not known."""
    frames = [with_images(t, [None, None] if t % 5 == 4 else None) for t in range(INSTANTS)]
    associator = fit_by_looks(Associator(appearance=f"onnx:{network}", **QUICK), SIZES, frames)
    assert associator.fit_report_.appearance > 3


def test_boxes_without_images(network: Path, fitted: Associator, tmp_path: Path) -> None:
    """One warning that says what decides instead; the result is that of features that are not known."""
    fitted.save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    bare = scene().frames[8]
    unknown = fitted.associate(hidden(by_hand(network, bare, pictures(8)), (0, 1)))
    with pytest.warns(
        AppearanceMissingWarning,
        match=r"instant 8 comes without images or features, .*geometry alone; "
        r"give Frame\(boxes, images=\.\.\.\)",
    ) as said:
        same(loaded.associate(bare), unknown)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(loaded.associate(list(bare.boxes)), unknown)
        list(loaded.associate_many(scene().frames))


@pytest.mark.parametrize("kind", ["folders", "videos"])
def test_a_second_fit_decodes_no_image(
    kind: str, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that opens an image says so; the first fit opens all, the second none, without a cache all again."""
    from selfmva.io.video.image_sources import ImageFiles
    from selfmva.io.video.video import VideoFile

    views, opened = SOURCES[kind](tmp_path), []
    source = ImageFiles if kind == "folders" else VideoFile
    read = source.read

    def counted(self: Any, index: int) -> np.ndarray:
        opened.append(index)
        return read(self, index)

    monkeypatch.setattr(source, "read", counted)
    fits, counts = [], []
    for keeps in (True, True, False):
        looks = {"encoder": f"onnx:{network}", "cache": keeps}
        fits.append(fit_by_looks(Associator(appearance=looks, **QUICK), views, scene().frames))
        counts.append(len(opened))
        opened.clear()
    assert counts == [2 * INSTANTS, 0, 2 * INSTANTS]
    frame = by_hand(network, scene().frames[2], pictures(2))
    same(fits[0].associate(frame), fits[1].associate(frame))
    same(fits[0].associate(frame), fits[2].associate(frame))
    assert (tmp_path / "cache").exists()


def test_progress_speaks_of_looking(network: Path) -> None:
    told: list[tuple[str, int, int]] = []
    associator = Associator(appearance=f"onnx:{network}", **QUICK)
    fit_by_looks(associator, scene().images, scene().frames, progress=lambda *done: told.append(done))
    assert [done for done in told if done[0] == "look"] == [("look", n + 1, INSTANTS) for n in range(INSTANTS)]


def test_features_of_frames_go_before_images(network: Path) -> None:
    """Nothing is looked at where frames bring all features along, so the views may be sizes."""
    frames = [by_hand(network, frame, pictures(frame.index)) for frame in scene().frames]
    associator = fit_by_looks(Associator(appearance=f"onnx:{network}", **QUICK), SIZES, frames)
    assert scene().rates([associator.associate(frame).ids for frame in frames]) == 1.0


def test_appearance_before_fit() -> None:
    with pytest.raises(NotFittedError, match="appearance_ is learnt: call fit"):
        _ = Associator().appearance_


def test_an_encoder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    cases: list[tuple[str, type[Exception], str]] = [
        ("resnet50", PluginError, "no encoder is called 'resnet50'"),
        (f"onnx:{tmp_path / 'none.onnx'}", CheckpointError, r"none\.onnx cannot be read"),
        (f"onnx:{tmp_path / 'text.onnx'}", CheckpointError, r"text\.onnx cannot be opened as an ONNX model"),
    ]
    for name, error, message in cases:
        with pytest.raises(error, match=message):
            Associator(appearance=name, **QUICK).fit(scene().images, scene().frames)
