"""People on a picture of the floor: where they are and come from, and where everybody went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.associations_argument import each_association
from selfmva.errors import InputError
from selfmva.viz.draw import CANVAS, INK, colour_of, write_id
from selfmva.viz.labels import free_place, text_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from selfmva.association.associations_argument import Identified
    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor import Floor

    ToPixels = Callable[[FloatArray], IntArray]

TAIL = 12  # instants
PAST = (112, 116, 124)


@dataclass(frozen=True, eq=False)
class Places:
    """Where people were, K of them by instant and id; in the unit of the floor.

    Attributes:
        who: `(K,)` ids.
        when: `(K,)` how many instants before.
        places: `(K, 2)`, finite.
        count: Number of instants.
        seen: For each view `(M, 2)` places of those whom it sees, and another view too.
    """

    who: IntArray
    when: IntArray
    places: FloatArray
    count: int
    seen: tuple[FloatArray, ...]

    def chosen(self, rows: BoolArray) -> Places:
        """Those of some rows, a mask `(K,)`."""
        return Places(self.who[rows], self.when[rows], self.places[rows], self.count, self.seen)


def read_places(floor: Floor, associations: Iterable[Identified]) -> Places:
    """Where people stand at each of some instants.

    Raises:
        InputError: One of them is of other cameras than the floor.
    """
    who, when, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros((0, 2))]
    seen: list[list[FloatArray]] = [[np.zeros((0, 2))] for _ in floor.views]
    count = 0
    for association in each_association(associations):
        if association.views != floor.views:
            raise InputError(f"the association of instant {association.index} is of other cameras than the floor")
        if association.floor is None:
            continue
        places = association.floor_positions() * (floor.unit / association.floor.unit)
        known = [ids[ids >= 0] for ids in association.ids_of_people()]
        people, times = np.unique(np.concatenate(known), return_counts=True)
        who.append(people)
        when.append(np.full(len(people), count))
        found.append(places)
        count += 1
        for view, ids in enumerate(known):
            rows = np.searchsorted(people, ids)
            seen[view].append(places[rows[times[rows] > 1]])  # a box alone may be none, and lie far away
    together = (np.concatenate(parts) for parts in seen)
    everything = Places(
        np.concatenate(who),
        np.concatenate(when),
        np.concatenate(found),
        count,
        tuple(places[np.isfinite(places).all(axis=1)] for places in together),
    )
    return everything.chosen(np.asarray(np.isfinite(everything.places).all(axis=1)))


def draw_present(
    canvas: Image, people: Places, to_pixels: ToPixels, scale: float, taken: list[FloatArray], room: tuple[int, int]
) -> None:
    """All places as dots; those of the last instant large, in the colours of their ids, with numbers and tails.

    Args:
        canvas: `(H, W, 3)` uint8 RGB, changed.
        people: Those inside the picture.
        to_pixels: From the floor to the picture.
        scale: Size of lines and text.
        taken: `(4,)` x1, y1, x2, y2 of what numbers must not cover; what numbers cover is added.
        room: Width and height of where numbers may stand.
    """
    if not people.count:
        return
    small, large = max(2, round(4 * scale)), max(5, round(14 * scale))
    draw_dots(canvas, to_pixels(people.places), PAST, small)
    present = people.chosen(people.when == people.count - 1)
    recent = people.chosen((people.when >= people.count - 1 - TAIL) & np.isin(people.who, present.who))
    _draw_ways(canvas, recent, to_pixels, small)
    _draw_numbers(canvas, present, to_pixels, scale, large, taken, room)


def draw_ways(
    canvas: Image, people: Places, to_pixels: ToPixels, scale: float, taken: list[FloatArray], room: tuple[int, int]
) -> None:
    """Everybody's way in the colour of their id, thin where nobody saw them, with a dot and a number at its end.

    Who is seen at one instant alone went nowhere, and is a small grey dot: most of these are nobody.

    Args:
        canvas: As in `draw_present`.
        people: As in `draw_present`.
        to_pixels: As in `draw_present`.
        scale: As in `draw_present`.
        taken: As in `draw_present`.
        room: As in `draw_present`.
    """
    _, row, times = np.unique(people.who, return_inverse=True, return_counts=True)
    once = times[row.reshape(-1)] == 1
    draw_dots(canvas, to_pixels(people.places[once]), PAST, max(2, round(4 * scale)))
    people = people.chosen(~once)
    _draw_ways(canvas, people, to_pixels, max(1, round(2.5 * scale)))
    order = np.lexsort((people.when, people.who))
    who = people.who[order]
    last = order[np.append(who[1:] != who[:-1], True)] if len(who) else order
    ends = np.zeros(len(people.who), bool)
    ends[last] = True
    _draw_numbers(canvas, people.chosen(ends), to_pixels, scale, max(4, round(10 * scale)), taken, room)


def draw_dots(canvas: Image, pixels: IntArray, colour: tuple[int, int, int], thickness: int) -> None:
    """Draw dots of one colour at `(K, 2)` pixels."""
    import cv2

    lines = np.repeat(pixels[:, None], 2, axis=1).astype(np.int32)  # of no length
    cv2.polylines(canvas, list(lines), False, colour, thickness, cv2.LINE_AA)


def _draw_ways(canvas: Image, people: Places, to_pixels: ToPixels, thickness: int) -> None:
    """Lines from place to place of everybody; of one pixel over instants at which they were not seen."""
    import cv2

    order = np.lexsort((people.when, people.who))
    pixels = to_pixels(people.places[order]).astype(np.int32)
    one, other = order[:-1], order[1:]
    same = people.who[one] == people.who[other]
    next_instant = people.when[other] - people.when[one] == 1
    lines = np.stack([pixels[:-1], pixels[1:]], axis=1) if len(order) else np.zeros((0, 2, 2), np.int32)
    for identity in np.unique(people.who).tolist():
        own = same & (people.who[one] == identity)
        for rows, width in ((own & ~next_instant, 1), (own & next_instant, thickness)):
            cv2.polylines(canvas, list(lines[rows]), False, colour_of(identity), width, cv2.LINE_AA)


def _draw_numbers(
    canvas: Image,
    people: Places,
    to_pixels: ToPixels,
    scale: float,
    size: int,
    taken: list[FloatArray],
    room: tuple[int, int],
) -> None:
    """A dot for each, and a number beside it that covers no other dot or number where there is room."""
    pixels = to_pixels(people.places)
    draw_dots(canvas, pixels, CANVAS, size + 4)
    for identity, pixel in zip(people.who.tolist(), pixels, strict=True):
        draw_dots(canvas, pixel[None], colour_of(identity), size)
    draw_dots(canvas, pixels, INK, max(1, size // 4))
    taken += [np.concatenate([pixel - size / 2, pixel + size / 2]) for pixel in pixels]
    for identity, pixel in zip(people.who.tolist(), pixels, strict=True):
        width, height = text_size(str(identity), 0.75 * scale)
        place = free_place(pixel, np.array([0.6 * size, -0.6 * size]), (width + 8, height + 8), taken, room)
        taken.append(place)
        write_id(canvas, str(identity), (round(place[0]), round(place[3])), colour_of(identity), scale)
