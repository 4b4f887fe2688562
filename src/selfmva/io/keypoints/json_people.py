"""One JSON for all images of a view: COCO keypoints, AlphaPose, MMPose."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from selfmva.errors import DataError
from selfmva.io.keypoints.people import People, body_of, number_of, people_of
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_people_json(path: Path) -> dict[int, People]:
    """The people of every image of one view, whatever program wrote them.

    Args:
        path: COCO annotations with `images`, or a list of results of COCO or of AlphaPose (`image_id`, `keypoints`), or
            MMPose's predictions (`instance_info`, or a list of `frame_id`, `instances`).

    Raises:
        DataError: The file is missing, damaged, or of no such format.
    """
    content, source = read_json(path), str(path)
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return _of_rows(content["annotations"], source, _numbers_of_images(content.get("images", []), source))
    if isinstance(content, dict) and isinstance(content.get("instance_info"), list):
        return _of_mmpose(content["instance_info"], source)
    if isinstance(content, list) and content and all(isinstance(row, dict) and "instances" in row for row in content):
        return _of_mmpose(content, source)
    if isinstance(content, list) and all(isinstance(row, dict) and "keypoints" in row for row in content):
        return _of_rows(content, source, {})
    raise DataError(
        f"{source} holds no keypoints: expected annotations or results of COCO, AlphaPose's results, or MMPose's "
        "predictions"
    )


def _numbers_of_images(images: Any, source: str) -> dict[Any, int]:
    """Numbers of instants by the ids of images: those in the names of their files, else the ids themselves."""
    found = {}
    for image in images if isinstance(images, list) else []:
        if isinstance(image, dict) and "id" in image and isinstance(image.get("file_name"), str):
            found[image["id"]] = number_of(image["file_name"].rpartition(".")[0] or image["file_name"], source)
    return found if len(set(found.values())) == len(found) else {}


def _of_rows(rows: list[Any], source: str, numbers: Mapping[Any, int]) -> dict[int, People]:
    """Of one entry a person."""
    bodies, ids = defaultdict(list), defaultdict(list)
    for number, row in enumerate(rows):
        where = f"{source}, entry {number}"
        if not isinstance(row, dict) or "image_id" not in row or "keypoints" not in row:
            raise DataError(
                f"{where}: expected image_id and keypoints, got {row if not isinstance(row, dict) else [*row]}"
            )
        image = row["image_id"]
        instant = numbers.get(image, image if isinstance(image, int) else None)
        instant = number_of(str(image).rpartition(".")[0] or str(image), where) if instant is None else instant
        bodies[instant].append(body_of(row["keypoints"], where))
        track = row.get("track_id", row.get("idx", -1))
        ids[instant].append(track if isinstance(track, int) else -1)
    return {t: people_of(bodies[t], f"{source}, instant {t}", ids[t]) for t in sorted(bodies)} | {
        t: people_of([], source) for t in set(numbers.values()) - set(bodies)
    }


def _of_mmpose(frames: list[Any], source: str) -> dict[int, People]:
    found = {}
    for number, frame in enumerate(frames):
        where = f"{source}, frame {number}"
        if not isinstance(frame, dict) or not isinstance(frame.get("instances"), list):
            raise DataError(f"{where}: expected frame_id and instances")
        instant = frame.get("frame_id", number)
        bodies = []
        for person in frame["instances"]:
            if not isinstance(person, dict) or "keypoints" not in person or "keypoint_scores" not in person:
                raise DataError(f"{where}: expected keypoints and keypoint_scores of every person")
            bodies.append(body_of(person["keypoints"], where, person["keypoint_scores"]))
        ids = [person.get("track_id", -1) for person in frame["instances"]]
        found[int(instant)] = people_of(bodies, where, ids)
    return found
