"""People in videos: found by a detector, which a model remembers."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.common import UsageError
from selfmva.cli.recordings import rate
from selfmva.core.plugins import rename_file
from selfmva.errors import DataError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from selfmva.association.associator import Associator
    from selfmva.cli.arguments import CameraSpec
    from selfmva.core.config import AppearanceConfig
    from selfmva.core.types import Frame, View
    from selfmva.detectors.base import Detector
    from selfmva.io.video.synchronized import SynchronizedReader

DETECTOR = "detector.json"  # beside a model
MODEL = "selfmva-model"  # the folder of a model that nobody named


def add_detector_options(parser: argparse._ActionsContainer, *, remembered: bool) -> None:
    """Add `--detector`, `--least-score` and `--rate`."""
    what = "finds the people in the videos, instead of --boxes: onnx:yolox.onnx, torchvision:MODEL, or another that "
    what += "`selfmva detectors` lists"
    parser.add_argument(
        "--detector", metavar="NAME", help=what + (" (default: that of the model)" if remembered else "")
    )
    parser.add_argument("--least-score", metavar="S", type=float, help="leave out boxes that it is less sure of")
    if not remembered:
        parser.add_argument("--rate", metavar="R", type=rate, help="images a second of folders (default: 1)")


def open_videos(specs: Sequence[CameraSpec], images_a_second: float | None) -> SynchronizedReader:
    """What all cameras saw, in step.

    Raises:
        UsageError: A camera is a mere size, or folders beside videos have no rate.
        DataError: A file cannot be read.
    """
    from selfmva.io.video.synchronized import SynchronizedReader

    paths = [spec for spec in specs if isinstance(spec, Path)]
    if len(paths) < len(specs):
        raise UsageError("--detector needs a video file or a folder of images of every camera")
    folders = sum(path.is_dir() for path in paths)
    if images_a_second is None and 0 < folders < len(paths):
        raise UsageError("folders of images beside videos don't say how many are a second: give --rate")
    return SynchronizedReader(paths, rate=images_a_second or (1.0 if folders else None))


def find_people(
    specs: Sequence[CameraSpec],
    args: argparse.Namespace,
    detector: Detector,
    looks: AppearanceConfig,
    progress: Callable[[int, int], None],
) -> tuple[tuple[View, ...], list[Frame]]:
    """The cameras of a recording, and its people with what they look like; looked for once, then remembered.

    Raises:
        UsageError, InputError, DataError, CheckpointError: Images, detector or encoder cannot be read.
    """
    from selfmva.encoders.appearance.registry import open_appearance
    from selfmva.io.storage.array_cache import ArrayCache
    from selfmva.perception import observe

    encoder = None if looks.encoder is None else open_appearance(looks.encoder, device=args.device or "cpu")
    with ExitStack() as stack:
        reader = stack.enter_context(open_videos(specs, args.rate))
        cache = stack.enter_context(ArrayCache()) if looks.cache else None
        found = observe(reader, detector=detector, appearance=encoder, cache=cache, progress=progress)
        return reader.views, list(found)


def watch_people(
    reader: SynchronizedReader, args: argparse.Namespace, boxes: list[Frame] | None, stack: ExitStack
) -> Iterator[Frame]:
    """The people of a recording with its images, as the frames are asked for, while the stack is open.

    Args:
        reader: What all cameras saw.
        args: Which detector.
        boxes: Of the instants that are to be visited; None: the detector finds them.
        stack: Closes what is opened here.
    """
    from selfmva.io.storage.array_cache import ArrayCache
    from selfmva.perception import observe

    if boxes is not None:
        return observe(reader, frames=boxes, images=True)
    cache = stack.enter_context(ArrayCache())
    return observe(reader, detector=open_chosen(args), cache=cache, images=True)


def look_at_people(
    reader: SynchronizedReader, associator: Associator, boxes: Sequence[Frame], device: str
) -> Iterator[Frame]:
    """Boxes with what they look like, where an associator has learnt from that.

    Raises:
        CheckpointError: The encoder cannot be read, or is another than the one that was learnt by.
    """
    from selfmva.io.storage.array_cache import ArrayCache
    from selfmva.perception import observe
    from selfmva.perception.features import open_learnt

    encoder = associator.get_params()["appearance"].encoder
    if associator.appearance_ is None or encoder is None:
        yield from boxes
        return
    with ArrayCache() as cache:
        looks = open_learnt(encoder, associator.appearance_, device)
        yield from observe(reader, frames=boxes, appearance=looks, cache=cache)


def open_chosen(args: argparse.Namespace) -> Detector:
    """The detector that the arguments choose."""
    from selfmva.detectors import open_detector

    return open_detector(args.detector, least_score=args.least_score, device=args.device or "cpu")


def remember_detector(folder: Path, args: argparse.Namespace) -> None:
    """Write beside a model by which detector its boxes were found; forget an older one where there was none."""
    from selfmva.io.storage.atomic import atomic_write

    path = folder / DETECTOR
    if args.detector is None:
        path.unlink(missing_ok=True)
        return
    found_again = rename_file(args.detector, lambda path: str(path.resolve()))
    content = {"detector": found_again, "least_score": args.least_score}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2), encoding="utf-8")


def recall_detector(model: str, args: argparse.Namespace) -> None:
    """Put the detector of a model into arguments that name none.

    Raises:
        UsageError: The model has none either.
        DataError: The file beside the model is damaged.
    """
    from selfmva.io.storage.text import read_json

    path = Path(model) / DETECTOR
    if args.detector is not None:
        return
    if not path.parent.is_dir():
        raise UsageError(
            f"{model!r} is no folder here: expected one made by `selfmva fit`, then the videos; for a model of the "
            "hub, give --detector or --boxes, too"
        )
    if not path.is_file():
        raise UsageError(f"{model} was not fitted with a detector: give --detector, or --boxes")
    try:
        content: Any = read_json(path)
    except DataError as error:
        raise DataError(f"{path} is damaged ({error}): give --detector") from error
    whole = isinstance(content, dict) and {"detector", "least_score"} <= set(content)
    detector, least = (content["detector"], content["least_score"]) if whole else (None, None)
    if not isinstance(detector, str) or isinstance(least, bool) or not isinstance(least, int | float | None):
        raise DataError(f"{path} is damaged (it names no detector and its least score): give --detector")
    args.detector = detector
    args.least_score = least if args.least_score is None else args.least_score
