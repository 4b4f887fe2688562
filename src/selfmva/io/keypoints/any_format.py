"""Read keypoints of several views, whatever program wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.paths import as_path
from selfmva.core.types import Frame
from selfmva.errors import DataError, InputError
from selfmva.io.keypoints.json_people import read_people_json
from selfmva.io.keypoints.openpose import read_openpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.types import View
    from selfmva.io.keypoints.people import People

VIEW_ENDINGS = ("_json", "_keypoints", "_pose")  # behind the names of views, as Pose2Sim and others have them


def read_keypoints(source: str | Path | Mapping[str, str | Path], views: Sequence[View] | None = None) -> list[Frame]:
    """Read the keypoints of a recording.

    Args:
        source: A folder that holds one folder of JSON of OpenPose or Pose2Sim, or one JSON of COCO, AlphaPose or
            MMPose, for each view, called as the view (`cam01`, `cam01_json`, `cam01.json`); or these by name of it.
        views: The cameras, whose names are looked for; None: all that is there, in the order of the names.

    Returns:
        One frame per instant that any view has, in the order of their numbers; a view without it sees nobody.
        Boxes are made of the joints.

    Raises:
        InputError: A view has neither a folder nor a file, or not all have as many joints.
        DataError: A file is missing or damaged.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import View
        >>> from selfmva.io.keypoints import write_openpose
        >>> views = [View("door", 100, 100), View("hall", 100, 100)]
        >>> with TemporaryDirectory() as folder:
        ...     write_openpose(folder, [Frame(keypoints=[[[[10, 20, 0.5], [30, 40, 1]]], []], index=7)], views)
        ...     read_keypoints(folder, views)
        [Frame(index=7, boxes per view: 1, 0)]
    """
    places = _places(source)
    names = list(places) if views is None else [view.name for view in views]
    missing = [name for name in names if name not in places]
    if missing:
        raise InputError(f"no keypoints of view {missing[0]!r}; there are {', '.join(map(repr, places)) or 'none'}")
    read = [read_openpose(places[name]) if places[name].is_dir() else read_people_json(places[name]) for name in names]
    joints = {people.keypoints.shape[1] for one in read for people in one.values() if len(people.keypoints)}
    if len(joints) > 1:
        raise InputError(f"views have bodies of {sorted(joints)} joints: use one skeleton")
    count = joints.pop() if joints else 0
    return [_frame(read, instant, count, names) for instant in sorted({t for one in read for t in one})]


def _places(source: Any) -> dict[str, Path]:
    """Folders and files by name of the view."""
    if isinstance(source, Mapping):
        return {str(name): as_path(place, f"keypoints of {name!r}") for name, place in source.items()}
    root = as_path(source, "folder of keypoints")
    if not root.is_dir():
        raise DataError(f"{root} is no folder: give one that holds a folder or a JSON for each view")
    found = {}
    for place in sorted(root.iterdir()):
        if place.is_dir() and any(place.glob("*.json")):
            found[_plain(place.name)] = place
        elif place.suffix.lower() == ".json":
            found[_plain(place.stem)] = place
    if not found:
        raise DataError(f"{root} holds neither folders nor files of keypoints")
    return found


def _plain(name: str) -> str:
    for ending in VIEW_ENDINGS:
        name = name.removesuffix(ending)
    return name


def _frame(read: Sequence[Mapping[int, People]], instant: int, joints: int, names: Sequence[str]) -> Frame:
    people = [one.get(instant) for one in read]
    keypoints = [np.zeros((0, joints, 3)) if seen is None else seen.keypoints for seen in people]
    keypoints = [part if len(part) else np.zeros((0, joints, 3)) for part in keypoints]
    ids = None
    if any(seen is not None and seen.track_ids is not None for seen in people):
        ids = [
            np.full(len(part), -1) if seen is None or seen.track_ids is None else seen.track_ids
            for seen, part in zip(people, keypoints, strict=True)
        ]
    return Frame(keypoints=keypoints, index=instant, track_ids=ids, view_names=names)
