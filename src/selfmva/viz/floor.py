"""Draw the common floor from above: where the cameras hang, what they see of it, and where people walk."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor as whole
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.view_checks import view_number
from selfmva.errors import InputError
from selfmva.geometry.floor_cameras import FOCAL
from selfmva.viz.draw import CANVAS, FILL_OPACITY, GRID_LINE, INK, blend, palette, write
from selfmva.viz.floor_people import TAIL, draw_present, draw_ways, read_places
from selfmva.viz.labels import broken, free_place, shortened, text_size
from selfmva.viz.tiles import LARGEST_PICTURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from selfmva.association.associations_argument import Identified
    from selfmva.association.tracks import Tracks
    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor import Floor
    from selfmva.viz.floor_people import Places

SMALLEST_PICTURE = 240  # pixels, width and height
REACH = 8.0  # where a camera saw nobody, its footprint ends where a body fills an eighth of the image
NEARLY_ALL = 98.0  # percent of the people, so that a few wrong matches don't stretch the picture
CORNERS = 120  # of the circle where a footprint ends
QUIET = (84, 88, 96)  # of cameras where the colours are those of people


def draw_floor(
    floor: Floor | None, associations: Iterable[Identified] = (), *, size: tuple[int, int] = (900, 900)
) -> Image:
    """Draw a floor from above.

    Every camera is a mark that points where it looks, over its footprint: the part of the floor that its image shows,
    as far as it saw people. People are dots; those of the last instant are larger, with the colours and numbers of
    their ids, and with tails.

    Args:
        floor: What fit() found, `associator.floor_`.
        associations: Of successive instants, any number, with ids that last: `map(tracker.update, frames)` of a
            `selfmva.Tracker`, or `selfmva.Tracks`.
        size: Width and height of the picture in pixels.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        InputError: There is no floor, an association is of other cameras, or the picture is too small.

    Example:
        >>> from selfmva.geometry.floor import Floor
        >>> from selfmva.core.types import View
        >>> camera = np.array([-0.2, 0.4, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        >>> draw_floor(Floor((View("door", 640, 480), View("hall", 640, 480)), (camera, None), {})).shape
        (900, 900, 3)
    """
    return _draw(floor, associations, size, draw_present)


def draw_tracks(tracks: Tracks, *, size: tuple[int, int] = (900, 900)) -> Image:
    """Draw where everybody went, from above.

    Every person is a line in the colour of their id, thin where no view saw them, which ends in a dot with their
    number. Cameras and what they see are grey.

    Args:
        tracks: Of a recording, as `Associator.track` gives, on a floor.
        size: Width and height of the picture in pixels.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        InputError: There is no floor, these are no tracks, or the picture is too small.

    Example:
        >>> from selfmva.association.tracks import Tracks
        >>> from selfmva.core.types import View
        >>> from selfmva.geometry.floor import Floor
        >>> camera = np.array([-0.2, 0.4, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        >>> floor = Floor((View("door", 640, 480), View("hall", 640, 480)), (camera, None), {})
        >>> draw_tracks(Tracks(floor.views, (), (), (), floor), size=(400, 300)).shape
        (300, 400, 3)
    """
    from selfmva.association.tracks import Tracks

    if not isinstance(tracks, Tracks):
        raise InputError(f"draw_tracks() needs Tracks, as Associator.track() gives, got {shown(tracks)}")
    return _draw(tracks.floor, tracks, size, draw_ways, colours_of_people=True)


def _draw(
    floor: Floor | None,
    associations: Iterable[Identified],
    size: tuple[int, int],
    draw_people: Callable[..., None],
    *,
    colours_of_people: bool = False,
) -> Image:
    """The floor, its cameras, and people as they are to be drawn."""
    from selfmva.geometry.floor import Floor  # with SciPy, which other pictures do without

    if floor is not None and not isinstance(floor, Floor):
        raise InputError(f"a floor is drawn of associator.floor_, got {shown(floor)}")
    if floor is None or not floor.views_on_floor:
        raise InputError("there is no floor to draw: fit() found none; fit_report_.advice() says what may help")
    size = _checked_size(size)
    scale = max(0.6, min(size) / 1200)
    people = read_places(floor, associations)
    outlines = {view: footprint(floor, view, _reach(floor, view, people)) for view in floor.views_on_floor}
    missing = _missing(floor, size[0], scale)
    room = (size[0], size[1] - round((44 + 28 * len(missing)) * scale))
    plan = _lay_plan(floor, list(outlines.values()), room, margin=round(64 * scale))
    colours = [(int(red), int(green), int(blue)) for red, green, blue in palette(len(floor.views))]
    if colours_of_people:
        colours = [QUIET] * len(colours)

    canvas = _draw_footprints(_draw_grid(plan, size), {v: plan(o) for v, o in outlines.items() if len(o)}, colours)
    taken = _draw_cameras(canvas, floor, plan, colours, scale)
    draw_people(canvas, people.chosen(plan.inside(people.places)), plan, scale, taken, room)
    recent = f"tails: the last {min(TAIL, people.count)} instants" if people.count and not colours_of_people else ""
    return _write_legend(canvas, f"{_length(plan.step, floor)}   {recent}", missing, plan, scale)


def _checked_size(size: Any) -> tuple[int, int]:
    if len(entries(size, "the size of a picture", "its width and height in pixels")) != 2:
        raise InputError(f"the size of a picture must be its width and height in pixels, got {shown(size)}")
    what = "a side of a picture of the floor in pixels"
    width, height = (integer(side, what, least=SMALLEST_PICTURE, most=LARGEST_PICTURE) for side in size)
    return width, height


def footprint(floor: Floor, view: int, reach: float) -> FloatArray:
    """The part of the floor that an image shows, up to a distance from the camera.

    Args:
        floor: The floor.
        view: Number of a view on it.
        reach: Distance in the unit of the floor.

    Returns:
        `(N, 2)` corners of a convex polygon in the unit of the floor; none where the image shows no such place.
    """
    view = view_number(view, len(floor.views))
    projection, place = floor.projections[view], floor.camera_places[view]
    if projection is None or place is None:
        raise InputError(f"view {view} is not on the floor")
    # A place (x, y) is seen at (u / w, v / w), linear in (x, y, 1): inside the image are six half-planes.
    u, v, w = projection[:, [0, 1, 3]]
    image = floor.views[view]
    angle = 2 * np.pi * np.arange(CORNERS) / CORNERS
    polygon = place[:2] + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for side in (w, u, image.width * w - u, v, image.height * w - v):
        polygon = _cut(polygon, side)
    return polygon


@dataclass(frozen=True, eq=False)
class _Plan:
    """From the floor to pixels; y of the floor points up."""

    origin: FloatArray
    scale: float
    room: tuple[int, int]

    def __call__(self, places: FloatArray) -> IntArray:
        return np.asarray((self.origin + self.scale * places * (1, -1)).round().astype(np.int64))

    def inside(self, places: FloatArray) -> BoolArray:
        """Which of the places `(N, 2)` the picture shows."""
        pixels = self.origin + self.scale * places * (1, -1)
        return np.asarray(((pixels >= 0) & (pixels < self.room)).all(axis=1))

    @property
    def step(self) -> float:
        """Length of the scale bar: 1, 2 or 5 times a power of ten, an eighth to a third of the picture."""
        largest = min(self.room) / 3 / self.scale
        power = 10.0 ** whole(log10(largest))
        return max(step * power for step in (1, 2, 5) if step * power <= largest)


def _reach(floor: Floor, view: int, people: Places) -> float:
    """How far a camera sees: as far as it saw people."""
    camera, place, image = floor.cameras[view], floor.camera_places[view], floor.views[view]
    if camera is None or place is None:
        raise InputError(f"view {view} is not on the floor")
    if not len(people.seen[view]):
        return float(REACH * np.exp(camera[FOCAL]) * image.width / image.height * floor.unit)
    return float(np.percentile(np.hypot(*(people.seen[view] - place[:2]).T), NEARLY_ALL))


def _cut(polygon: FloatArray, side: FloatArray) -> FloatArray:
    """The part of a convex polygon `(N, 2)` where a linear function `(3,)` of x, y, 1 is not negative."""
    if not len(polygon):
        return polygon
    value = polygon @ side[:2] + side[2]
    after, value_after = np.roll(polygon, -1, axis=0), np.roll(value, -1)
    crosses = (value >= 0) != (value_after >= 0)
    fraction = value / np.where(crosses, value - value_after, 1.0)
    both = np.stack([polygon, polygon + fraction[:, None] * (after - polygon)], axis=1)
    return np.asarray(both[np.stack([value >= 0, crosses], axis=1)])


def _lay_plan(floor: Floor, outlines: Sequence[FloatArray], room: tuple[int, int], margin: int) -> _Plan:
    """Show all cameras and all footprints, as large as there is room."""
    shown = np.concatenate([*(place[None, :2] for place in floor.camera_places if place is not None), *outlines])
    low, high = shown.min(axis=0), shown.max(axis=0)
    free = np.array(room) - 2.0 * margin
    scale = float(np.min(free / np.maximum(high - low, floor.unit)))
    return _Plan(np.array(room) / 2 - scale * (low + high) / 2 * (1, -1), scale, room)


def _draw_grid(plan: _Plan, size: tuple[int, int]) -> Image:
    canvas = np.full((size[1], size[0], 3), CANVAS, dtype=np.uint8)
    step = plan.step * plan.scale
    for axis, begin in enumerate(plan.origin % step):
        lines = np.arange(begin, plan.room[axis], step).astype(np.int64)
        np.moveaxis(canvas[: plan.room[1]], 1 - axis, 0)[lines] = GRID_LINE
    return canvas


def _draw_footprints(canvas: Image, outlines: dict[int, IntArray], colours: Sequence[tuple[int, int, int]]) -> Image:
    import cv2

    for view, outline in outlines.items():
        corners = outline.astype(np.int32)
        canvas = blend(canvas, np.asarray(cv2.fillPoly(canvas.copy(), [corners], colours[view])), FILL_OPACITY)
    for view, outline in outlines.items():
        cv2.polylines(canvas, [outline.astype(np.int32)], True, colours[view], 1, cv2.LINE_AA)
    return canvas


def _draw_cameras(
    canvas: Image, floor: Floor, plan: _Plan, colours: Sequence[tuple[int, int, int]], scale: float
) -> list[FloatArray]:
    """A mark for every camera, its tip where it looks, and its name where it covers no mark and no other name.

    Returns:
        `(4,)` x1, y1, x2, y2 of what marks and names cover.
    """
    import cv2

    length = 16 * scale
    marks = {}
    for view in floor.views_on_floor:
        projection, place = floor.projections[view], floor.camera_places[view]
        if projection is not None and place is not None:
            ahead = projection[2, :2] * (1, -1)  # the depth grows where the camera looks
            marks[view] = (plan(place[:2]).astype(np.float64), ahead / max(float(np.hypot(*ahead)), 1e-9))
    for view, (point, ahead) in marks.items():
        aside = np.array([-ahead[1], ahead[0]])
        corners = point + length * np.array([ahead, -0.8 * ahead + 0.7 * aside, -0.8 * ahead - 0.7 * aside])
        cv2.fillPoly(canvas, [corners.round().astype(np.int32)], colours[view], cv2.LINE_AA)
        cv2.polylines(canvas, [corners.round().astype(np.int32)], True, INK, 1, cv2.LINE_AA)
    taken = [np.concatenate([point - length, point + length]) for point, _ in marks.values()]
    for view, (point, ahead) in marks.items():
        name = shortened(floor.views[view].name, plan.room[0] // 3, scale)
        width, height = text_size(name, scale)
        place = free_place(point, -1.3 * length * ahead, (width + 6, height + 6), taken, plan.room)
        taken.append(place)
        write(canvas, name, (round(place[0]) + 3, round(place[1] + 0.75 * height) + 3), scale)
    return taken


def _missing(floor: Floor, width: int, scale: float) -> list[str]:
    """Lines that name the views that are not on the floor."""
    names = [floor.views[view].name for view in range(len(floor.views)) if view not in floor.views_on_floor]
    words = [f"{name}," for name in names[:-1]] + names[-1:]
    return broken(["not on the floor:", *words], width - round(32 * scale), scale) if names else []


def _length(length: float, floor: Floor) -> str:
    unit = "body height" if floor.unit == 1.0 else "unit"
    return f"{length:g} {unit}" + ("" if length == 1 else "s")


def _write_legend(canvas: Image, text: str, missing: Sequence[str], plan: _Plan, scale: float) -> Image:
    """A scale bar with a text, and the views that are missing, below the plan."""
    import cv2

    left, line = round(16 * scale), plan.room[1] + round(26 * scale)
    end, tick = left + round(plan.step * plan.scale), round(6 * scale)
    bar = np.array([[left, line - tick], [left, line], [end, line], [end, line - tick]], dtype=np.int32)
    cv2.polylines(canvas, [bar], False, INK, max(1, round(2 * scale)), cv2.LINE_AA)
    begin = end + round(12 * scale)
    text = shortened(text.rstrip(), canvas.shape[1] - begin - left, scale)
    write(canvas, text, (begin, line + round(2 * scale)), scale)
    for row, names in enumerate(missing):
        write(canvas, names, (left, line + round((30 + 28 * row) * scale)), scale)
    return canvas
