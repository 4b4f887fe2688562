"""The common floor that fit() found: what every view sees of it, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.scalars import real
from selfmva.core.values import real_array
from selfmva.core.view_checks import view_number
from selfmva.core.view_pairs import renumber_pairs
from selfmva.errors import InputError
from selfmva.geometry.camera_conversion import parameters_of_camera
from selfmva.geometry.cameras import straight_boxes
from selfmva.geometry.floor_cameras import HEIGHT, X, Y, pixel_matrix, projections, upside_down
from selfmva.geometry.floor_likelihood import read_boxes_on_floor
from selfmva.geometry.support import NO_SUPPORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.geometry.floor_likelihood import FloorReadings
    from selfmva.geometry.support import Support

USUAL_HEIGHT = 1.7  # metres, of grown-ups: WHO, mean of men and women of most countries 1.6 to 1.75


@dataclass(frozen=True, eq=False)
class Floor:
    """Cameras over one floor, found without calibration.

    The unit of the floor is the mean height of the people, until one length is known: see `with_length`.

    Attributes:
        views: The cameras.
        cameras: `(10,)` parameters of every view (see `selfmva.geometry.floor_cameras`), None where it is not on the
            floor.
        supports: What speaks for every pair of views on the floor, (i, j) with i < j.
        unit: Length of a body height in the user's unit; 1 where none is known.
        statures: How boxes of children and others who are short are to be read, where the recording told; see
            `selfmva.geometry.statures`.
        lenses: Cameras whose lenses bend their images, by view; None where none does. Boxes are read as straight lenses
            would show them; `place` and `homographies` are of straight ones.
        foot_shifts: `(V, 2)` how far bottoms of boxes lie from the feet, to the right and down, as fractions of the
            boxes' heights, where cameras were given and the recording told; see `selfmva.geometry.foot_shifts`.
    """

    views: tuple[View, ...]
    cameras: tuple[FloatArray | None, ...]
    supports: Mapping[tuple[int, int], Support]
    unit: float = 1.0
    statures: FloatArray | None = None
    lenses: tuple[Camera | None, ...] | None = None
    foot_shifts: FloatArray | None = None

    @classmethod
    def from_cameras(
        cls, views: Sequence[View], cameras: Sequence[Camera | None], body_height: float = USUAL_HEIGHT
    ) -> Floor:
        """The floor under cameras that are known; no recording is asked, so that all is taken for granted.

        Args:
            views: The cameras' names and images.
            cameras: One a view, of a world whose z points up and is 0 on the floor; None where it is not known.
            body_height: Mean height of the people in the unit of the cameras.

        Returns:
            The floor in the unit of the cameras.

        Raises:
            InputError: A camera is not above the floor, there are not as many cameras as views, or the height is none.

        Example:
            >>> from selfmva.core.types import View
            >>> from selfmva.geometry.cameras import Camera
            >>> level = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # looks along y, z up
            >>> hall = Camera([[1000, 0, 500], [0, 1000, 400], [0, 0, 1]], level, [0, 1.7, 0])
            >>> floor = Floor.from_cameras([View("hall", 1000, 800)], [hall])
            >>> floor.place(0, [[500, 740]]).round(6).tolist()
            [[0.0, 5.0]]
        """
        unit = real(body_height, "body_height", above=0)
        if len(cameras) != len(views):
            raise InputError(f"{len(cameras)} cameras for {len(views)} views; give None where one is not known")
        parameters = tuple(
            None if camera is None else parameters_of_camera(camera, view, unit)
            for camera, view in zip(cameras, views, strict=True)
        )
        known = [number for number, camera in enumerate(cameras) if camera is not None]
        bent = any(camera is not None and camera.bent for camera in cameras)
        supports = dict.fromkeys(combinations(known, 2), replace(NO_SUPPORT, known=True, given=True))
        return cls(tuple(views), parameters, supports, unit, lenses=tuple(cameras) if bent else None)

    @property
    def views_on_floor(self) -> tuple[int, ...]:
        """Numbers of the views that are on the floor."""
        return tuple(number for number, camera in enumerate(self.cameras) if camera is not None)

    @property
    def views_upside_down(self) -> tuple[int, ...]:
        """Numbers of the views on the floor whose cameras hang upside down: feet are at the top of their boxes."""
        return tuple(n for n, camera in enumerate(self.cameras) if camera is not None and upside_down(camera))

    @property
    def homographies(self) -> list[FloatArray | None]:
        """For every view the `(3, 3)` homography from pixels to the floor, None where it is not on the floor."""
        return [self._to_floor(number) for number in range(len(self.views))]

    @property
    def projections(self) -> list[FloatArray | None]:
        """For every view the `(3, 4)` projection from places (x, y, z up, 1) to pixels, None off the floor."""
        scale = np.diag([1 / self.unit, 1 / self.unit, 1 / self.unit, 1.0])
        return [
            None if camera is None else pixel_matrix(view) @ projections(camera) @ scale
            for view, camera in zip(self.views, self.cameras, strict=True)
        ]

    @property
    def camera_places(self) -> list[FloatArray | None]:
        """For every view `(3,)` where the camera hangs: x, y on the floor, z above it; None off the floor."""
        return [
            None if camera is None else self.unit * np.array([camera[X], camera[Y], np.exp(camera[HEIGHT])])
            for camera in self.cameras
        ]

    def trusted(self, i: int, j: int) -> bool:
        """True where the boxes of both views speak for their geometry beyond chance.

        Raises:
            InputError: There is no such view.
        """
        i, j = view_number(i, len(self.views)), view_number(j, len(self.views))
        support = self.supports.get((min(i, j), max(i, j)))
        return support is not None and support.trusted

    def homography(self, i: int, j: int) -> FloatArray:
        """`(3, 3)` from pixels of view i to pixels of view j, for points on the floor.

        Raises:
            InputError: One of the views is not on the floor.
        """
        return np.asarray(np.linalg.inv(self._require(j)) @ self._require(i))

    def place(self, view: int, pixels: FloatArray) -> FloatArray:
        """Where on the floor pixels are.

        Args:
            view: Number of the view.
            pixels: `(N, 2)` x, y; feet, that is bottom centres of boxes.

        Returns:
            `(N, 2)` in the unit of the floor; NaN above the horizon.

        Raises:
            InputError: The view is not on the floor, or pixels are no such array.
        """
        pixels = real_array(pixels, "pixels")
        if pixels.size and pixels.shape[-1:] != (2,):
            raise InputError(f"pixels must have shape (N, 2), columns x and y, got shape {pixels.shape}")
        pixels = pixels.reshape(-1, 2)
        homogeneous = np.column_stack([pixels, np.ones(len(pixels))]) @ self._require(view).T
        return np.where(
            homogeneous[:, 2:] > 0,
            homogeneous[:, :2] / np.where(homogeneous[:, 2:] > 0, homogeneous[:, 2:], 1.0),
            np.nan,
        )

    def with_length(self, view: int, start: Sequence[float], end: Sequence[float], length: float) -> Floor:
        """The same floor in the unit of one known length.

        Args:
            view: Number of a view that shows it.
            start: Pixel x, y of a point on the floor.
            end: Pixel x, y of another.
            length: Distance of the two, in metres say.

        Returns:
            A floor whose places are in that unit.

        Raises:
            InputError: The view is not on the floor, the points are not, or the length is not positive.

        Example:
            >>> from selfmva.core.types import View
            >>> level = np.zeros(10)  # one body height above the floor, looks along it
            >>> floor = Floor((View("hall", 1000, 1000),), (level,), {})
            >>> round(floor.with_length(0, (500, 1000), (500, 750), 3.4).unit, 6)
            1.7
        """
        length = real(length, "length", above=0)
        points = real_array([start, end], "start and end")
        if points.shape != (2, 2):
            raise InputError(f"start and end must be a pixel x, y each, got {shown(start)} and {shown(end)}")
        first, second = self.place(view, points)
        distance = float(np.hypot(*(second - first)))
        if not (np.isfinite(distance) and distance > 0):
            raise InputError(
                f"with_length needs two points on the floor of view {view}, got {tuple(start)} and {tuple(end)}, "
                f"which are {distance:.3g} apart on the floor"
            )
        return replace(self, unit=self.unit * length / distance)

    def reordered(self, order: Sequence[int]) -> Floor:
        """The same floor with its views in another order: view k is the old view `order[k]`."""
        views = tuple(self.views[view] for view in order)
        cameras = tuple(self.cameras[view] for view in order)
        lenses = None if self.lenses is None else tuple(self.lenses[view] for view in order)
        shifts = None if self.foot_shifts is None else self.foot_shifts[list(order)]
        supports = renumber_pairs(self.supports, np.argsort(order))
        return replace(self, views=views, cameras=cameras, lenses=lenses, foot_shifts=shifts, supports=supports)

    def read(self, boxes: FloatArray, view: IntArray) -> FloorReadings:
        """Readings, in body heights, of `(M, 4)` boxes in pixels of their views `(M,)`."""
        straight = None if self.lenses is None else straight_boxes(boxes, view, self.lenses)
        return read_boxes_on_floor(self.cameras, self.views, boxes, view, self.statures, straight, self.foot_shifts)

    def __repr__(self) -> str:
        on = self.views_on_floor
        trusted = sum(support.trusted for support in self.supports.values())
        return f"Floor({len(on)} of {len(self.views)} views on it, {trusted} of {len(self.supports)} pairs trusted)"

    def _to_floor(self, view: int) -> FloatArray | None:
        camera = self.cameras[view]
        if camera is None:
            return None
        to_pixels = pixel_matrix(self.views[view]) @ projections(camera)[:, [0, 1, 3]]
        return np.asarray(np.diag([self.unit, self.unit, 1.0]) @ np.linalg.inv(to_pixels))

    def _require(self, view: int) -> FloatArray:
        view = view_number(view, len(self.views))
        matrix = self._to_floor(view)
        if matrix is None:
            raise InputError(f"view {view} ({self.views[view].name!r}) is not on the floor: fit() found no geometry")
        return matrix
