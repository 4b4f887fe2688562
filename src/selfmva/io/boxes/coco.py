"""COCO JSON, with the view and the instant of each image in `images`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.view_names import find_views
from selfmva.errors import DataError
from selfmva.io.boxes.coco_people import choose_people, is_identifier, number_of, require_identifiers, track_id
from selfmva.io.boxes.labels import number_views
from selfmva.io.boxes.rows import (
    Rows,
    corners,
    frames_from_rows,
    left_top_width_height,
    refuse,
    require_view_count,
    rows_from_frames,
    views_seen,
)
from selfmva.io.boxes.views import view_count, view_names
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.io.boxes.rows import Where
    from selfmva.io.boxes.views import Views

_VIEW_KEYS = ("view", "cam_id", "camera")
_INSTANT_KEYS = ("instant", "frame", "frame_id")
_FILE_NAME = re.compile(r"(\d{1,18})_(\d{1,9})\.\w+")


def read_coco(path: str | Path, views: Views = None, *, on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """Read a COCO JSON.

    Args:
        path: The file. An entry of `images` says its view in `view` (a number from 0, or a name), `cam_id` or
            `camera` (the camera's own number or name: numbers are put in ascending order, names in the order in
            which they first appear), and its instant in `instant`, `frame` or `frame_id`; or its `file_name` does:
            `{instant}_{view}.jpg`. An annotation may have a `score` and a `track_id` or `instance_id` (-1 = none), also
            among its `attributes`. Of several categories, those called person, pedestrian, people or human are read,
            in capitals or not; regions marked `iscrowd` or `ignore` are not.
        views: The number of views, or the views, among which names are looked up (`view_name`, where images have it),
            numbers that are names as well; None: as the images say.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant that has an image.

    Raises:
        DataError: The file cannot be read, is damaged, or an entry of it is; it is of other views, or one cannot tell
            which, or which category is people.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "boxes.json"
        ...     _ = path.write_text(
        ...         '{"images": [{"id": 8, "file_name": "3_1.jpg"}],'
        ...         ' "annotations": [{"image_id": 8, "bbox": [5, 5, 20, 40]}]}'
        ...     )
        ...     read_coco(path)
        [Frame(index=3, boxes per view: 0, 1)]
    """
    return parse_coco(read_json(path), views, source=str(path), on_bad_box=on_bad_box)


def parse_coco(data: Any, views: Views = None, source: str = "coco", *, on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """Turn the content of a COCO JSON into frames; see `read_coco`.

    Args:
        data: What the JSON holds.
        views: As in `read_coco`.
        source: Name of the file, for messages.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant that has an image.

    Raises:
        DataError: An entry is damaged.

    Example:
        >>> parse_coco({"images": [{"id": 8, "frame": 3, "view": 0}], "annotations": []})
        [Frame(index=3, boxes per view: 0)]
    """
    images = _entries(data, "images", source)
    annotations = _entries(data, "annotations", source)

    def where_image(number: int) -> str:
        return f"{source}, images[{number}]"

    numbers = _view_numbers(images, views, where_image)
    instants = [_instant(image, where_image(number)) for number, image in enumerate(images)]
    _require_distinct([image["id"] for image in images], "id", where_image)
    _require_distinct(list(zip(instants, numbers.tolist(), strict=True)), "instant and view", where_image)
    place = {image["id"]: number for number, image in enumerate(images)}
    V = view_count(views) or views_seen(numbers, where_image)

    chosen = choose_people(annotations, data, source)

    def where(row: int) -> str:
        return f"{source}, annotations[{chosen[row]}]"

    kept = [annotations[k] for k in chosen]
    require_identifiers(images, kept, where)
    for row, entry in enumerate(kept):
        _require_box(entry, where(row))
    owner = [place[entry["image_id"]] for entry in kept]
    moments = np.array(instants, dtype=np.int64)[owner]
    rows = Rows(
        instants=moments,
        views=numbers[owner],
        boxes=corners([entry["bbox"] for entry in kept]),
        scores=_scores(kept, moments, where),
        track_ids=np.array([track_id(entry, where(row)) for row, entry in enumerate(kept)], dtype=np.float64),
    )
    return frames_from_rows(rows, views if isinstance(views, Sequence) else V or None, where, instants, on_bad_box)


def write_coco(path: str | Path, frames: Sequence[Frame], views: Views = None) -> None:
    """Write a COCO JSON with the keys `instant` and `view` in `images`.

    Args:
        path: The file; replaced as a whole or not at all.
        frames: One per instant. Images in which nobody is seen are kept.
        views: The views, whose names and sizes are written, or their number.

    Raises:
        InputError: Two frames carry the same instant, or their numbers of views differ.
        DataError: The file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     write_coco(Path(folder) / "boxes.json", [Frame([[[5, 5, 25, 45]], []], index=3)])
        ...     read_coco(Path(folder) / "boxes.json")
        [Frame(index=3, boxes per view: 1, 0)]
    """
    rows = rows_from_frames(frames)
    require_view_count(frames, views)
    named = [
        {"view_name": view.name, "width": view.width, "height": view.height}
        for view in (views if isinstance(views, Sequence) else ())
    ]
    ordered = sorted((frame.index, view) for frame in frames for view in range(len(frame)))
    identifiers = {cell: number for number, cell in enumerate(ordered, start=1)}
    images = [
        {"id": identifiers[t, v], "file_name": f"{t}_{v}.jpg", "instant": t, "view": v, **(named[v] if named else {})}
        for t, v in ordered
    ]
    boxes = left_top_width_height(rows.boxes).tolist()
    cells = zip(rows.instants.tolist(), rows.views.tolist(), boxes, strict=True)
    annotations = [
        {
            "id": row + 1,
            "image_id": identifiers[instant, view],
            "category_id": 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
            **({} if rows.scores is None or np.isnan(rows.scores[row]) else {"score": float(rows.scores[row])}),
            **({} if rows.track_ids is None else {"track_id": int(rows.track_ids[row])}),
        }
        for row, (instant, view, box) in enumerate(cells)
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _entries(data: Any, key: str, source: str) -> list[dict[str, Any]]:
    entries = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise DataError(f"{source}: a COCO file has lists `images` and `annotations`; {key!r} is missing or no list")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or (key == "images" and not is_identifier(entry.get("id"))):
            raise DataError(f"{source}, {key}[{number}]: expected an object with an id, got {shown(entry)}")
    return entries


def _first(image: Mapping[str, Any], keys: Sequence[str]) -> tuple[str | None, Any]:
    return next(((key, image[key]) for key in keys if key in image), (None, None))


def _from_file_name(image: Mapping[str, Any], group: int, where: str) -> int:
    match = _FILE_NAME.fullmatch(Path(str(image.get("file_name", ""))).name)
    if match is None:
        keys = _INSTANT_KEYS if group == 1 else _VIEW_KEYS
        raise DataError(
            f"{where}: the {'instant' if group == 1 else 'view'} is not known: give one of the keys {', '.join(keys)}, "
            f"or a file_name like 12_0.jpg (instant 12, view 0); got {shown(dict(image))}"
        )
    return int(match[group])


def _instant(image: Mapping[str, Any], where: str) -> int:
    key, value = _first(image, _INSTANT_KEYS)
    if key is None:
        return _from_file_name(image, 1, where)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise DataError(f"{where}: {key} must be a whole number, got {shown(value)}")
    return value


def _view_numbers(images: Sequence[Mapping[str, Any]], views: Views, where: Where) -> IntArray:
    if images and view_names(views) is not None and all("view_name" in image for image in images):
        return number_views([image["view_name"] for image in images], views, where)
    found = [_first(image, _VIEW_KEYS) for image in images]
    labels = [
        _from_file_name(image, 2, where(number)) if key is None else value
        for number, (image, (key, value)) in enumerate(zip(images, found, strict=True))
    ]
    numbers = number_views(labels, views, where)
    cameras = np.unique(numbers)
    own = {key for key, _ in found} <= {"cam_id", "camera"}  # a camera's own number need not count from 0
    if own and not _are_names(labels, views):
        expected = view_count(views)
        if expected in (None, len(cameras)):
            return np.searchsorted(cameras, numbers).astype(np.int64)
        refuse(
            [not (cameras[0] == 0 and cameras[-1] < (expected or 0))] * bool(len(cameras)),
            where,
            lambda _: (
                f"cameras {', '.join(map(str, cameras[:20]))} could be any of the {expected} views; call them by the "
                "names of the views, or give them numbers from 0 as view"
            ),
        )
    return numbers


def _are_names(labels: Sequence[Any], views: Views) -> bool:
    """Whether the views are called by their names; number_views has seen to it that it is all or none."""
    names = view_names(views)
    return names is not None and any(
        place is not None for place in find_views([str(labels[0])] if labels else [], names)
    )


def _scores(entries: Sequence[Mapping[str, Any]], instants: IntArray, where: Where) -> FloatArray:
    """A score for each annotation, NaN at instants where any has none."""
    given = [entry.get("score") for entry in entries]
    for row, score in enumerate(given):
        if score is not None and not np.isfinite(number_of(score, "score", where(row))):
            raise DataError(f"{where(row)}: score {score} is not a finite number")
    scores = np.array([np.nan if score is None else score for score in given], dtype=np.float64)
    scores[np.isin(instants, instants[np.isnan(scores)])] = np.nan
    return scores


def _require_distinct(keys: Sequence[Any], name: str, where: Where) -> None:
    first: dict[Any, int] = {}
    for number, key in enumerate(keys):
        if first.setdefault(key, number) != number:
            raise DataError(f"{where(number)}: its {name} ({key}) is also that of {where(first[key])}")


def _require_box(entry: Mapping[str, Any], where: str) -> None:
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise DataError(f"{where}: bbox must be [left, top, width, height], got {shown(box)}")
    for value in box:
        number_of(value, "each number of bbox [left, top, width, height]", where)
