"""People who walk on circles, by another recipe than the package's invented bodies, to test learnt poses with."""

from __future__ import annotations

import numpy as np

from selfmva import Frame
from selfmva.core.skeletons import SKELETONS

# Metres, of a person of 1.75 m, measured by no table that the package uses.
PARTS = {"thigh": 0.44, "shank": 0.42, "upper": 0.29, "fore": 0.26, "trunk": 0.5, "shoulder": 0.19, "hip": 0.12}
SKELETON = SKELETONS["panoptic15"]


def walk(random: np.random.Generator, instants: int, middle: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """`(T, 15, 3)` metres: a person who walks a circle, swings its arms, and lifts one now and then."""
    size = random.uniform(0.9, 1.08)
    part = {name: size * length * random.normal(1, 0.04) for name, length in PARTS.items()}
    time = np.arange(instants) * 0.2
    radius = random.uniform(0.2, 0.55)
    angle = random.uniform(0, 6.28) + time * random.uniform(0.3, 0.9) * random.choice([-1, 1])
    place = np.array(middle) + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    heading = np.arctan2(*np.gradient(place, axis=0).T[::-1])
    ahead = np.stack([np.cos(heading), np.sin(heading), 0 * heading], 1)
    left = np.stack([-np.sin(heading), np.cos(heading), 0 * heading], 1)
    up = np.array([0, 0, 1.0]) + 0 * ahead
    phase = random.uniform(0, 6.28) + 5 * time
    crouch = 0.35 * (1 + np.sin(time * 0.3 + random.uniform(0, 6))) / 2
    joints = {}
    thighs = {s: (0.5 * np.sin(phase + k * np.pi) + crouch) for k, s in enumerate(("left", "right"))}
    knees = {s: 0.35 + 0.3 * np.sin(phase + k * np.pi + 1.2) + 1.6 * crouch for k, s in enumerate(("left", "right"))}

    def swing(value: np.ndarray, length: float) -> np.ndarray:
        return length * (np.sin(value)[:, None] * ahead - np.cos(value)[:, None] * up)

    drop = part["thigh"] * np.cos(thighs["left"]) + part["shank"] * np.cos(thighs["left"] - knees["left"])
    other = part["thigh"] * np.cos(thighs["right"]) + part["shank"] * np.cos(thighs["right"] - knees["right"])
    hip = np.column_stack([place, np.maximum(drop, other) + 0.08])
    lean = 0.1 + crouch
    spine = np.sin(lean)[:, None] * ahead + np.cos(lean)[:, None] * up
    neck = hip + part["trunk"] * spine
    joints |= {"mid_hip": hip, "neck": neck, "nose": neck + 0.18 * up + 0.1 * ahead}
    lift = np.clip(3 * np.sin(time * 0.7 + random.uniform(0, 6)) - 1.5, 0, 1.5)
    for k, (side, sign) in enumerate((("left", 1), ("right", -1))):
        joints[f"{side}_hip"] = hip + sign * part["hip"] * left
        joints[f"{side}_knee"] = joints[f"{side}_hip"] + swing(thighs[side], part["thigh"])
        joints[f"{side}_ankle"] = joints[f"{side}_knee"] + swing(thighs[side] - knees[side], part["shank"])
        shoulder = neck + sign * part["shoulder"] * left - 0.03 * up
        arm = 0.4 * np.sin(phase + (1 - k) * np.pi) + (lift if k == 0 else 0)
        joints[f"{side}_shoulder"] = shoulder
        joints[f"{side}_elbow"] = shoulder + swing(arm, part["upper"])
        joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + swing(arm + 0.4 + 0.5 * lift, part["fore"])
    return np.stack([joints[name] for name in SKELETON.joints], axis=1)


def crowd(random: np.random.Generator, instants: int, people: int = 3, ring: float = 0.9) -> np.ndarray:
    """`(T, P, 15, 3)` metres: people who walk around places on a ring."""
    angle = 2 * np.pi * np.arange(people) / people
    return np.stack([walk(random, instants, (ring * np.cos(a), ring * np.sin(a))) for a in angle], axis=1)


def film(cameras, views, people: np.ndarray, random: np.random.Generator, missing=0.1, noise=2.0, wrong=0.0):
    """Frames of keypoints, `people` being `(T, P, K, 3)`, and who is who in each view."""
    frames, names = [], []
    for index, joints in enumerate(people):
        keypoints, ids = [], []
        for camera, view in zip(cameras, views, strict=True):
            pixels, _ = camera.project(joints)
            other = np.take_along_axis(pixels, np.array(SKELETON.mirrored)[None, :, None], axis=1)
            seen = random.random(pixels.shape[:2]) >= missing
            pixels = np.where((random.random(pixels.shape[:2]) < wrong)[..., None], other, pixels)
            pixels = pixels + random.normal(0, noise, pixels.shape)
            with np.errstate(invalid="ignore"):
                seen &= ((pixels >= 0) & (pixels < [view.width, view.height])).all(-1)
            given = np.concatenate([np.where(seen[..., None], pixels, np.nan), seen[..., None].astype(float)], axis=-1)
            order = random.permutation(np.flatnonzero(seen.sum(1) >= 3))
            keypoints.append(given[order])
            ids.append(order)
        frames.append(Frame(keypoints=keypoints, index=index))
        names.append(ids)
    return frames, names
