"""How a camera was turned, from where the other views see people and where it shows them now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from selfmva.geometry.floor_cameras import (
    ASPECT,
    CENTRE_X,
    CENTRE_Y,
    FOCAL,
    ROLL,
    TILT,
    YAW,
    pixel_matrix,
    projections,
    upside_down,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.geometry.floor import Floor


@dataclass(frozen=True)
class TurnSettings:
    """How turns are looked for."""

    rolls: tuple[float, ...] = (0.0, -6.0, 6.0, -12.0, 12.0, -18.0, 18.0)  # degrees
    farthest: float = 60.0  # degrees of pan and tilt
    bin: float = 1.0  # degrees
    blur: float = 1.5  # bins
    height_ratio: float = 0.35  # of the logs of angular heights, beyond which it is somebody else
    peaks: int = 3  # of each roll that are followed up
    gates: tuple[float, ...] = (6.0, 5.0, 4.0, 3.0, 2.5, 2.0, 2.0, 2.0)  # degrees, from round to round
    kernel: float = 1.0  # degrees
    least_matches: int = 12
    most_instants: int = 80


TURN = TurnSettings()


def camera_matrix(camera: FloatArray, view: View) -> FloatArray:
    """`(3, 3)` from directions as the camera sees them (right, down, ahead) to pixels."""
    focal, aspect = np.exp(camera[[FOCAL, ASPECT]])
    lens = np.array([[focal, 0, camera[CENTRE_X]], [0, focal * aspect, camera[CENTRE_Y]], [0, 0, 1.0]])
    return np.asarray(pixel_matrix(view) @ lens)


def turn_back(matrix: FloatArray, boxes: FloatArray, _: int = 0) -> FloatArray:
    """Boxes `(N, 4)` whose middle lines are mapped by a `(3, 3)` matrix of pixels; far outside behind the camera."""
    middle, side = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    head, foot = (_mapped(matrix, np.column_stack([middle, boxes[:, row]])) for row in (1, 3))
    left, right = (_mapped(matrix, np.column_stack([boxes[:, column], side])) for column in (0, 2))
    half = np.maximum(np.hypot(*(right - left).T) / 2, 0.5)
    axis = (head[:, 0] + foot[:, 0]) / 2
    low, high = np.minimum(head[:, 1], foot[:, 1]), np.maximum(head[:, 1], foot[:, 1])
    return np.column_stack([axis - half, low, axis + half, np.maximum(high, low + 1.0)])


@dataclass(frozen=True, eq=False)
class Turn:
    """A camera that was turned on the spot.

    Attributes:
        back: `(3, 3)` from pixels that it shows now to those that it would have shown.
        degrees: Of the turn.
        camera: `(10,)` its parameters now.
    """

    back: FloatArray
    degrees: float
    camera: FloatArray


def find_turns(floor: Floor, view: int, frames: Sequence[Sequence[FloatArray]]) -> list[Turn]:
    """Turns of one camera on the spot that bring its boxes to where the other views see people.

    Args:
        floor: As it was.
        view: Number of the camera; it is on the floor.
        frames: Boxes of all views, instant by instant.

    Returns:
        The best turns first; none where nothing comes together.
    """
    camera = floor.cameras[view]
    if camera is None or bool(upside_down(camera)):
        return []
    frames = frames[:: max(len(frames) // TURN.most_instants, 1)]
    matrix = camera_matrix(camera, floor.views[view])
    seen_at, seen = _seen_rays(matrix, frames, view)
    told_at, told = _told_rays(floor, camera, frames, view)
    starts = np.searchsorted(told_at, np.arange(len(frames) + 1))
    size = np.diff(starts)[seen_at]
    one = np.repeat(np.arange(len(seen)), size)
    other = np.repeat(starts[seen_at] - (np.cumsum(size) - size), size) + np.arange(size.sum())
    alike = np.abs(np.log(_opening(seen)[one] / _opening(told)[other])) < TURN.height_ratio
    one, other = one[alike], other[alike]
    if len(one) < TURN.least_matches:
        return []
    found = []
    for start in _starts(seen[one], told[other]):
        turned, score = _follow(start, seen, told, one, other)
        found.append((score, turned))
    found.sort(key=lambda entry: -entry[0])
    kept: list[FloatArray] = []
    for _, turned in found:
        if all(_degrees(turned @ known.T) > 1.0 for known in kept):
            kept.append(turned)
    return [
        Turn(matrix @ turned @ np.linalg.inv(matrix), _degrees(turned), _camera_after(camera, turned))
        for turned in kept[: TURN.peaks]
    ]


def _camera_after(camera: FloatArray, back: FloatArray) -> FloatArray:
    """Parameters of a camera whose directions `back` takes to those of another, at the same place."""
    plain = camera.copy()
    plain[[FOCAL, CENTRE_X, CENTRE_Y, ASPECT]] = 0.0
    rotation = back.T @ projections(plain)[:, :3]
    result = camera.copy()
    result[TILT] = np.arcsin(np.clip(-rotation[2, 2], -1, 1))
    result[YAW] = np.arctan2(-rotation[2, 0], rotation[2, 1])
    result[ROLL] = np.arctan2(-rotation[0, 2], -rotation[1, 2])
    return result


def _seen_rays(matrix: FloatArray, frames: Sequence[Sequence[FloatArray]], view: int) -> tuple[IntArray, FloatArray]:
    """`(N,)` instants and `(N, 2, 3)` unit directions of the feet and heads that the view shows."""
    at = np.repeat(np.arange(len(frames)), [len(boxes[view]) for boxes in frames])
    boxes = np.concatenate([np.zeros((0, 4)), *(boxes[view] for boxes in frames)])
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    ends = np.stack([np.column_stack([middle, boxes[:, row], np.ones(len(boxes))]) for row in (3, 1)], axis=1)
    return at, _unit(ends @ np.linalg.inv(matrix).T)


def _told_rays(
    floor: Floor, camera: FloatArray, frames: Sequence[Sequence[FloatArray]], view: int
) -> tuple[IntArray, FloatArray]:
    """`(M,)` instants, increasing, and `(M, 2, 3)` unit directions in which the camera had feet and heads.

    Of all boxes of other views; those behind the camera are left out.
    """
    others = [v for v in floor.views_on_floor if v != view]
    counts = [[len(boxes[v]) for v in others] for boxes in frames]
    at = np.repeat(np.arange(len(frames)), [sum(count) for count in counts])
    numbers = np.concatenate([np.repeat(others, count) for count in counts]) if len(at) else np.zeros(0, np.int64)
    boxes = np.concatenate([np.zeros((0, 4)), *(boxes[v] for boxes in frames for v in others)])
    readings = floor.read(boxes, numbers.astype(np.int64))
    places = readings.estimates()[0]
    lens = np.linalg.inv(camera_matrix(camera, floor.views[view]))
    pose = lens @ pixel_matrix(floor.views[view]) @ projections(camera)
    ends = np.stack([np.column_stack([places, np.full(len(places), z), np.ones(len(places))]) for z in (0, 1)], axis=1)
    rays = ends @ pose.T
    distance = np.linalg.norm(rays, axis=-1)
    # Beyond the border of its image it may see now what it did not see before, but not behind itself.
    good = readings.known & (distance.min(axis=1) > 0.3) & (distance.max(axis=1) < 60)
    return at[good], _unit(rays[good])


def _starts(seen: FloatArray, told: FloatArray) -> list[FloatArray]:
    """`(3, 3)` turns for which most pairs of directions vote, for every roll."""
    edges = np.arange(-TURN.farthest, TURN.farthest + TURN.bin / 2, TURN.bin)
    result = []
    for roll in TURN.rolls:
        unrolled = seen @ _about(2, roll).T
        away = [_angles(told, k) - _angles(unrolled, k) for k in (0, 1)]
        votes = np.zeros((len(edges) - 1, len(edges) - 1))
        for end in (0, 1):  # feet and heads
            votes += np.histogram2d(away[0][:, end], away[1][:, end], [edges, edges])[0]
        votes = gaussian_filter(votes, TURN.blur, mode="constant")
        for _ in range(TURN.peaks):
            pan, tilt = np.unravel_index(votes.argmax(), votes.shape)
            centre = edges[[pan, tilt]] + TURN.bin / 2
            result.append(_about(1, float(centre[0])) @ _about(0, -float(centre[1])) @ _about(2, roll))
            votes[max(pan - 4, 0) : pan + 5, max(tilt - 4, 0) : tilt + 5] = 0
    return result


def _follow(
    turn: FloatArray, seen: FloatArray, told: FloatArray, one: IntArray, other: IntArray
) -> tuple[FloatArray, float]:
    """A turn, refined on those who come near; and how many do, weighted by how near, each box seen once."""
    score = 0.0
    for gate in TURN.gates:
        apart = np.degrees(np.linalg.norm(seen[one] @ turn.T - told[other], axis=-1)).max(axis=1)
        order = np.argsort(apart, kind="stable")
        nearest = order[np.unique(one[order], return_index=True)[1]]
        nearest = nearest[apart[nearest] < gate]
        if len(nearest) < TURN.least_matches:
            return turn, 0.0
        weight = np.exp(-0.5 * (apart[nearest] / TURN.kernel) ** 2) + 0.05
        score = float(weight.sum())
        sides = (seen[one[nearest]] * weight[:, None, None]).reshape(-1, 3), told[other[nearest]].reshape(-1, 3)
        left, _, right = np.linalg.svd(sides[1].T @ sides[0])
        turn = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    return turn, score


def _opening(rays: FloatArray) -> FloatArray:
    """`(N,)` angles between feet and heads `(N, 2, 3)`."""
    return np.asarray(np.maximum(np.linalg.norm(rays[:, 0] - rays[:, 1], axis=1), 1e-6))


def _angles(rays: FloatArray, which: int) -> FloatArray:
    """Degrees to the right (0) or downwards (1) of directions `(..., 3)`."""
    if which == 0:
        return np.asarray(np.degrees(np.arctan2(rays[..., 0], rays[..., 2])))
    return np.asarray(np.degrees(np.arctan2(rays[..., 1], np.hypot(rays[..., 0], rays[..., 2]))))


def _about(axis: int, degrees: float) -> FloatArray:
    matrix = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    angle = np.radians(degrees)
    matrix[[one, two], [one, two]] = np.cos(angle)
    matrix[one, two], matrix[two, one] = -np.sin(angle), np.sin(angle)
    return matrix


def _degrees(turn: FloatArray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def _unit(rays: FloatArray) -> FloatArray:
    return np.asarray(rays / np.maximum(np.linalg.norm(rays, axis=-1, keepdims=True), 1e-12))


def _mapped(matrix: FloatArray, points: FloatArray) -> FloatArray:
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    depth = homogeneous[:, 2:]
    return np.asarray(np.where(depth > 0.05, homogeneous[:, :2] / np.maximum(depth, 0.05), -1e5))
