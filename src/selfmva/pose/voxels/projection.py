"""Projection into several cameras at once, with their distortion and an affine map of the image, differentiable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.core.types import FloatArray, View
    from selfmva.geometry.cameras import Camera

CLOSEST_DEPTH = 1e-3  # of the unit of the world: closer than this, or behind, there is no image
COEFFICIENTS = 14  # of OpenCV's largest model: k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 and two angles of the sensor
FOLD_MARGIN = 1.05  # of the radius of the image's corners: beyond, a lens's polynomial may fold back into the image
BORDER_POINTS = 9  # of each side of an image, whose radius is asked
LENS_RADII = 1000  # at which a lens is asked whether its image still grows


@dataclass(frozen=True, eq=False)
class CameraBatch:
    """V cameras as tensors.

    Attributes:
        rotation: `(V, 3, 3)` from the world to the cameras.
        translation: `(V, 3)`, in the unit of the world.
        distortion: `(V, 12)` coefficients in OpenCV's order; the tilt of the sensor is part of `sensor`.
        sensor: `(V, 3, 3)` homography from distorted rays to pixels.
        size: `(V, 2)` width and height of the images.
        reach: `(V,)` radius of rays beyond which nothing is in the image.
        affine: `(V, 2, 3)` from pixels of the image to those of a map that is made of it.
        map_size: `(V, 2)` width and height of that map.

    Example:
        >>> from selfmva import View
        >>> from selfmva.geometry.cameras import Camera
        >>> camera = Camera(np.array([[100, 0, 50], [0, 100, 50], [0, 0, 1.0]]), np.eye(3), [0, 0, 2])
        >>> rig = CameraBatch.of([camera], [View("a", 100, 100)])
        >>> pixels, depth, in_view = rig.project(torch.tensor([[0.2, 0.0, 0.0]], dtype=torch.float64))
        >>> pixels.tolist(), depth.tolist(), in_view.tolist()
        ([[[60.0, 50.0]]], [[2.0]], [[True]])
    """

    rotation: Tensor
    translation: Tensor
    distortion: Tensor
    sensor: Tensor
    size: Tensor
    reach: Tensor
    affine: Tensor
    map_size: Tensor

    @classmethod
    def of(cls, cameras: Sequence[Camera], views: Sequence[View]) -> Self:
        """Cameras and the views whose images they take, as float64 tensors.

        Raises:
            InputError: Their numbers differ, or there is none.
        """
        if len(cameras) != len(views) or not cameras:
            raise InputError(f"a batch of cameras needs one view per camera, got {len(cameras)} and {len(views)}")
        lenses = np.zeros((len(cameras), COEFFICIENTS))
        for row, camera in zip(lenses, cameras, strict=True):
            row[: len(camera.distortion)] = camera.distortion
        sensor = [camera.K @ _tilt(*row[12:]) for camera, row in zip(cameras, lenses, strict=True)]
        size = np.array([(view.width, view.height) for view in views], dtype=np.float64)
        arrays = (
            np.array([camera.R for camera in cameras]),
            np.array([camera.t for camera in cameras]),
            lenses[:, :12],
            np.array(sensor),
            size,
            np.array([_reach(camera, *sides) for camera, sides in zip(cameras, size, strict=True)]),
            np.tile(np.eye(3)[:2], (len(cameras), 1, 1)),
            size,
        )
        return cls(*(torch.from_numpy(np.array(array)) for array in arrays))

    def __len__(self) -> int:
        return len(self.rotation)

    def to(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """The same cameras elsewhere, or as other numbers."""
        return replace(self, **{name: value.to(device, dtype) for name, value in vars(self).items()})

    def select(self, views: Sequence[int]) -> Self:
        """Some of the cameras."""
        return replace(self, **{name: value[list(views)] for name, value in vars(self).items()})

    def onto_maps(self, affine: Tensor, map_size: tuple[int, int]) -> Self:
        """The same cameras, whose pixels are those of maps made of the images.

        Args:
            affine: `(V, 2, 3)` from pixels of the images to those of the maps.
            map_size: Width and height of the maps.
        """
        sides = torch.tensor(map_size, dtype=self.size.dtype, device=self.size.device).expand(len(self), 2)
        return replace(self, affine=affine.to(self.size), map_size=sides)

    def to_maps(self, pixels: Tensor) -> Tensor:
        """Pixels `(V, ..., 2)` of the images as those of the maps."""
        extra = pixels.ndim - 2
        linear = self.affine[:, :, :2].reshape(len(self), *(1,) * extra, 2, 2)
        return (linear @ pixels[..., None])[..., 0] + self.affine[:, :, 2].reshape(len(self), *(1,) * extra, 2)

    def project(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where points of the world are in the maps of all cameras; equal to OpenCV's `projectPoints`.

        Args:
            points: `(..., 3)`, in the unit of the world.

        Returns:
            `(V, ..., 2)` pixels of the maps, `(V, ...)` depths, and `(V, ...)` whether a point is ahead of the camera,
            inside its image and inside the map. Pixels of points behind are finite and mean nothing.
        """
        flat = points.reshape(-1, 3)
        local = flat @ self.rotation.transpose(1, 2) + self.translation[:, None]
        depth = local[..., 2]
        ahead = depth > CLOSEST_DEPTH
        # Behind the camera a ray is taken that has no gradient, so that losses with a mask stay finite.
        ray = torch.where(ahead[..., None], local[..., :2] / torch.where(ahead, depth, 1.0)[..., None], 0.0)
        pixels = self._image(self._distort(ray))
        within = (ray.square().sum(-1) <= self.reach[:, None].square()) & ahead
        mapped = self.to_maps(pixels)
        seen = within & _inside(pixels, self.size[:, None]) & _inside(mapped, self.map_size[:, None])
        shape = (len(self), *points.shape[:-1])
        return mapped.reshape(*shape, 2), depth.reshape(shape), seen.reshape(shape)

    def _distort(self, ray: Tensor) -> Tensor:
        k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = self.distortion.T[:, :, None]
        x, y = ray[..., 0], ray[..., 1]
        r2 = x * x + y * y
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        bent_x = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2)
        bent_y = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4)
        return torch.stack([bent_x, bent_y], dim=-1)

    def _image(self, bent: Tensor) -> Tensor:
        homogeneous = bent @ self.sensor[:, :, :2].transpose(1, 2) + self.sensor[:, None, :, 2]
        return homogeneous[..., :2] / homogeneous[..., 2:]


def fitting_affine(size: Tensor, map_size: tuple[int, int]) -> Tensor:
    """The affine maps that shrink images, shape kept, into the middle of maps.

    Args:
        size: `(V, 2)` width and height of the images.
        map_size: Width and height of the maps.

    Returns:
        `(V, 2, 3)`; the middle of the first pixel is (0, 0) in both.

    Example:
        >>> fitting_affine(torch.tensor([[100.0, 50.0]]), (50, 50))[0].tolist()
        [[0.5, 0.0, -0.25], [0.0, 0.5, 12.25]]
    """
    sides = torch.tensor(map_size, dtype=size.dtype, device=size.device)
    scale = (sides / size).amin(dim=1)
    shift = (sides - 1) / 2 - scale[:, None] * (size - 1) / 2
    linear = scale[:, None, None] * torch.eye(2, dtype=size.dtype, device=size.device)
    return torch.cat([linear, shift[..., None]], dim=-1)


def _inside(pixels: Tensor, size: Tensor) -> Tensor:
    return ((pixels >= -0.5) & (pixels <= size - 0.5)).all(dim=-1)


def _tilt(angle_x: float, angle_y: float) -> FloatArray:
    """The homography of a sensor that is tilted against the lens, as OpenCV defines it."""
    (cos_x, sin_x), (cos_y, sin_y) = ((np.cos(angle), np.sin(angle)) for angle in (angle_x, angle_y))
    around_x = np.array([[1, 0, 0], [0, cos_x, sin_x], [0, -sin_x, cos_x]])
    around_y = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    turned = around_y @ around_x
    onto = np.array([[turned[2, 2], 0, -turned[0, 2]], [0, turned[2, 2], -turned[1, 2]], [0, 0, 1]])
    return np.asarray(onto @ turned)


def _reach(camera: Camera, width: float, height: float) -> float:
    """Largest radius of the rays through the border of an image, and a margin; never beyond the fold of its lens."""
    x, y = np.linspace(0, width - 1, BORDER_POINTS), np.linspace(0, height - 1, BORDER_POINTS)
    border = np.concatenate(
        [
            np.stack(np.meshgrid(x, y[[0, -1]]), -1).reshape(-1, 2),
            np.stack(np.meshgrid(x[[0, -1]], y), -1).reshape(-1, 2),
        ]
    )
    rays = (camera.undistort(border) - camera.K[:2, 2]) @ np.linalg.inv(camera.K[:2, :2]).T
    radius = np.linspace(0, float(np.linalg.norm(rays, axis=1).max()) * FOLD_MARGIN, LENS_RADII)
    k1, k2, _, _, k3, k4, k5, k6 = np.pad(camera.distortion, (0, COEFFICIENTS - len(camera.distortion)))[:8]
    r2 = radius**2
    bent = radius * (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    back = np.flatnonzero(np.diff(bent) <= 0)
    return float(radius[back[0]] if len(back) else radius[-1])
