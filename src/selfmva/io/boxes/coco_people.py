"""Which annotations of a COCO file are people, and what they are known by: as annotation tools write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfmva.core.messages import shown
from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.io.boxes.rows import Where

PERSON_NAMES = frozenset({"person", "persons", "people", "pedestrian", "pedestrians", "human", "humans"})
_TRACK_KEYS = ("track_id", "instance_id")  # at the annotation, or among its attributes
_NO_PERSON = ("iscrowd", "ignore")  # of a region that is no single person


def choose_people(annotations: Sequence[Mapping[str, Any]], data: Mapping[str, Any], source: str) -> list[int]:
    """The places of the annotations that are each one person.

    Args:
        annotations: All of them.
        data: The content of the file, with its categories.
        source: Name of the file, for messages.

    Raises:
        DataError: Categories are damaged, none of several is called person or the like, or an annotation doesn't say of
            which it is.
    """
    people, known = _person_categories(data, source)
    chosen = []
    for number, entry in enumerate(annotations):
        where = f"{source}, annotations[{number}]"
        if any(_flag(entry, name, where) for name in _NO_PERSON):
            continue
        if people is not None:
            category = entry.get("category_id")
            if not is_identifier(category) or category not in known:
                raise DataError(
                    f"{where}: category_id {shown(category)} is not the id of any of the categories, "
                    "so that one cannot tell whether this is a person"
                )
            if category not in people:
                continue
        chosen.append(number)
    return chosen


def track_id(entry: Mapping[str, Any], where: str) -> int | float:
    """The track of an annotation, -1 where it has none: `track_id` or `instance_id`, its own or among its attributes.

    Raises:
        DataError: It is no number.

    Example:
        >>> track_id({"attributes": {"occluded": False, "track_id": 7}}, "annotations[0]")
        7
    """
    attributes = entry.get("attributes")
    places = (entry, attributes) if isinstance(attributes, dict) else (entry,)
    for place in places:
        for key in _TRACK_KEYS:
            if place.get(key) is not None:
                return number_of(place[key], key, where)
    return -1


def number_of(value: Any, key: str, where: str) -> int | float:
    """Check that a value is a number that a float can hold.

    Raises:
        DataError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 2**1023:
        raise DataError(f"{where}: {key} must be a number, got {shown(value)}")
    return value


def require_identifiers(
    images: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]], where: Where
) -> None:
    """Find out whether annotations belong to images.

    Args:
        images: With their ids.
        annotations: With the ids of their images.
        where: Names the place of an annotation.

    Raises:
        DataError: One does not.
    """
    known = {image["id"] for image in images}
    for number, entry in enumerate(annotations):
        image = entry.get("image_id")
        if not is_identifier(image) or image not in known:
            raise DataError(f"{where(number)}: image_id {shown(image)} is not the id of any image")


def is_identifier(value: Any) -> bool:
    """Whether a value can be the id of an image or a category.

    Example:
        >>> is_identifier("a1"), is_identifier([1])
        (True, False)
    """
    return isinstance(value, int | str) and not isinstance(value, bool)


def _person_categories(data: Mapping[str, Any], source: str) -> tuple[set[Any] | None, set[Any]]:
    """Ids of the categories of people, None where every box counts; and those of all categories."""
    categories = data.get("categories") or []
    if not isinstance(categories, list):
        raise DataError(f"{source}: categories must be a list of objects with id and name, got {shown(categories)}")
    for number, category in enumerate(categories):
        if not isinstance(category, dict) or not is_identifier(category.get("id")):
            raise DataError(
                f"{source}, categories[{number}]: expected an object with an id that is a whole number or a text, got "
                f"{shown(category)}"
            )
    known = {category["id"] for category in categories}
    for key in ("name", "supercategory"):
        people = {category["id"] for category in categories if _means_person(category.get(key))}
        if people:
            return people, known
    if len(categories) > 1:
        names = ", ".join(str(category.get("name")) for category in categories[:20])
        raise DataError(
            f"{source}: none of the categories ({names}) is called person, pedestrian, people or human; rename the one "
            "that is, or leave the others out"
        )
    return None, known


def _means_person(name: Any) -> bool:
    return isinstance(name, str) and name.strip().casefold() in PERSON_NAMES


def _flag(entry: Mapping[str, Any], name: str, where: str) -> bool:
    value = entry.get(name, 0)
    if value is None or (isinstance(value, int | float) and value in (0, 1)):
        return bool(value)
    raise DataError(f"{where}: {name} must be 0 or 1, got {shown(value)}")
