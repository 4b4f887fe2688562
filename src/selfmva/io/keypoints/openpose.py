"""Folders of OpenPose, and of Pose2Sim: one JSON an image, its number in its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.paths import as_path
from selfmva.core.view_names import require_distinct
from selfmva.errors import DataError, InputError
from selfmva.io.keypoints.people import People, body_of, number_of, people_of
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.types import Frame, View

BODY, HANDS = "pose_keypoints_2d", "_keypoints"
VERSION = 1.3  # of the format


def read_openpose(folder: Path) -> dict[int, People]:
    """The people of every image of one view.

    Args:
        folder: Of files such as `cam01_000000000042_keypoints.json`.

    Raises:
        DataError: A file is damaged or has no number, or two have one.
    """
    found: dict[int, People] = {}
    for path in sorted(folder.glob("*.json")):
        instant = number_of(path.stem.removesuffix(HANDS), str(path))
        if instant in found:
            raise DataError(f"{folder}: two files are of instant {instant}; keep one of them")
        found[instant] = _people(read_json(path), str(path))
    if not found:
        raise DataError(f"{folder} holds no JSON of OpenPose")
    return found


def write_openpose(folder: str | Path, frames: Sequence[Frame], views: Sequence[View]) -> None:
    """Write keypoints as OpenPose does: a folder a view, a file an instant.

    Args:
        folder: Made where it is missing.
        frames: With keypoints.
        views: Whose names the folders get.

    Raises:
        InputError: A frame has no keypoints, or another number of views.
        DataError: A file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame, View
        >>> frame = Frame(keypoints=[[[[10, 20, 0.5], [30, 40, 1]]]], index=7)
        >>> with TemporaryDirectory() as folder:
        ...     write_openpose(folder, [frame], [View("door", 100, 100)])
        ...     read_openpose(as_path(folder, "folder") / "door")[7].keypoints.tolist()
        [[[10.0, 20.0, 0.5], [30.0, 40.0, 1.0]]]
    """
    root = as_path(folder, "folder")
    require_distinct([view.name for view in views])
    for frame in frames:
        if frame.keypoints is None or len(frame) != len(views):
            raise InputError(f"instant {frame.index}: expected keypoints of {len(views)} views, got {frame!r}")
        ids = frame.track_ids
        for number, (view, keypoints) in enumerate(zip(views, frame.keypoints, strict=True)):
            target = root / view.name
            target.mkdir(parents=True, exist_ok=True)
            people = [
                {
                    "person_id": [-1 if ids is None else int(ids[number][row])],
                    BODY: np.nan_to_num(body).ravel().tolist(),
                }
                for row, body in enumerate(keypoints)
            ]
            with atomic_write(target / f"{view.name}_{frame.index:012d}{HANDS}.json") as temporary:
                temporary.write_text(json.dumps({"version": VERSION, "people": people}), encoding="utf-8")


def _people(content: Any, where: str) -> People:
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        raise DataError(f"{where} is no file of OpenPose: it has no list of people")
    bodies, ids = [], []
    for number, person in enumerate(content["people"]):
        if not isinstance(person, dict) or BODY not in person:
            raise DataError(f"{where}, person {number}: {BODY!r} is missing")
        bodies.append(body_of(person[BODY], f"{where}, person {number}"))
        given = person.get("person_id", [-1])
        ids.append(int(given[0]) if isinstance(given, list) and given else -1)
    return people_of(bodies, where, ids)
