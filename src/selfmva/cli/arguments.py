"""Arguments that several sub-commands take: datasets and their options, cameras, files."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.core.paths import file_status
from selfmva.core.view_checks import check_same_sizes
from selfmva.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.io.video.view_argument import ViewLike

_SIZE = re.compile(r"(?:(?P<name>.+):)?(?P<width>\d+)x(?P<height>\d+)")
CameraSpec = tuple[str | None, int, int] | Path


def add_dataset_options(parser: argparse._ActionsContainer) -> None:
    """Add `--root` and `--option`, which belong to the name of a dataset."""
    parser.add_argument("--root", metavar="DIR", help="folder of the data set's files")
    parser.add_argument(
        "--option",
        metavar="KEY=VALUE",
        type=key_and_value,
        action="append",
        default=[],
        help="further argument of the data set, its value as JSON or plain text, such as people=5; may be repeated",
    )


def read_dataset(name: str, args: argparse.Namespace) -> MultiViewDataset:
    """The dataset that `--root` and `--option` describe.

    Raises:
        PluginError, InputError, DataError: See `selfmva.datasets.load_dataset`.
    """
    from selfmva.datasets import load_dataset

    return load_dataset(name, root=args.root, **dict(args.option))


def frames_of_split(dataset: MultiViewDataset, split: str) -> tuple[int, Iterator[Frame]]:
    """The number of instants of a split, and its frames, read one by one.

    Raises:
        InputError: There is no such split, or it is empty.
    """
    indices = dataset.splits.get(split, ())
    if not len(indices):
        sizes = ", ".join(f"{name} ({len(part)})" for name, part in dataset.splits.items()) or "none"
        raise InputError(f"no instant is in the split {split!r}; known are {sizes}")
    return len(indices), (dataset.frame(index) for index in indices)


def load_model(name: str, dataset: MultiViewDataset | None, device: str) -> Associator:
    """An associator from a folder, the model hub, or a checkpoint of the published code.

    Args:
        name: A folder or repository; or a file, whose cameras are then those of the dataset.
        dataset: What it is to be used on; None where only boxes are given.
        device: Where it runs.

    Raises:
        CheckpointError, DataError: It is missing or damaged.
        InputError: Its cameras are not those of the dataset.
    """
    from selfmva.association.associator import Associator

    if (exists(name) and Path(name).is_file()) or name.endswith((".pth", ".pth.tar")):
        if dataset is None:
            raise InputError(
                f"{name} does not know its cameras: make a model of it with "
                f"`selfmva convert {name} --views ... --out FOLDER`, and give that folder"
            )
        from selfmva.hub import convert_upstream  # imports torch, which not every model needs

        return convert_upstream(name, dataset.views, device=device)
    associator = Associator.from_pretrained(name, device=device)
    if dataset is not None:
        check_same_sizes(associator.views_, f"{name} was fitted on cameras of", dataset.views, "the data set has")
    return associator


def key_and_value(text: str) -> tuple[str, Any]:
    """Read `key=value`; a value that is no JSON is text.

    Example:
        >>> key_and_value("people=5"), key_and_value("recipe.edges=false"), key_and_value("prompt=point")
        (('people', 5), ('recipe.edges', False), ('prompt', 'point'))
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def camera(text: str) -> CameraSpec:
    """Read `NAME:WIDTHxHEIGHT`, `WIDTHxHEIGHT`, or a folder of images or video file.

    Example:
        >>> camera("door:1920x1080"), camera("640x480")
        (('door', 1920, 1080), (None, 640, 480))
    """
    match = _SIZE.fullmatch(text)
    if match:
        return match["name"], int(match["width"]), int(match["height"])
    if not exists(text):
        raise argparse.ArgumentTypeError(
            f"expected NAME:WIDTHxHEIGHT (such as door:1920x1080), a folder of images or a video file, got {text!r}"
        )
    return Path(text)


def exists(text: str) -> bool:
    """Whether there is a file or folder by this name; not one that the operating system refuses.

    Example:
        >>> exists("nowhere.mp4"), exists("x" * 5000)
        (False, False)
    """
    try:
        return file_status(Path(text)) is not None
    except DataError:
        return False


def cameras(specs: Sequence[CameraSpec]) -> list[ViewLike]:
    """What `Associator.fit` takes for these cameras."""
    from selfmva.core.types import View

    return [
        spec if isinstance(spec, Path) else View(spec[0] or f"view{number}", *spec[1:])
        for number, spec in enumerate(specs)
    ]


def file_ending_in(*endings: str) -> Callable[[str], Path]:
    """A reader of file names that refuses other endings."""

    def file(text: str) -> Path:
        if Path(text).suffix.lower() not in endings:
            raise argparse.ArgumentTypeError(f"expected a file that ends in {', '.join(endings)}, got {text!r}")
        return Path(text)

    return file


def positive(text: str) -> int:
    """Read a whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)
