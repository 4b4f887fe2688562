"""Poses of a recording as files: everything as npz, and markers of each person as TRC and C3D."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any, Literal
from zipfile import BadZipFile

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.scalars import real
from selfmva.core.skeletons import Skeleton
from selfmva.errors import DataError, InputError, require
from selfmva.io.storage.atomic import atomic_write
from selfmva.pose.columns import pack_poses
from selfmva.pose.poses import Poses3D

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from selfmva.core.types import FloatArray, IntArray

UpAxis = Literal["y", "z"]
POSES_FORMAT = 1  # of npz files; a reader refuses newer ones
TRC_HEAD = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers"),
    *("Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)
MILLIMETRES = 1000.0  # in a metre
# Rows are X, Y, Z of a world whose y points up, in x, y, z of one whose z does: x stays, no mirror.
Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def write_poses(path: str | Path, poses: Sequence[Poses3D]) -> None:
    """Write poses as one npz.

    It holds `index (T,)` and `count (T,)` of the instants; `ids (M,)`, `joints (M, K, 3)`, `scores (M, K)`, and where
    known `uncertainties (M, K)`, `reprojection_errors (M, K)` and `views_used (M, K, V)` of the people, instant by
    instant; and `about`, a JSON text with the format, unit, and name and joints of the skeleton.

    Raises:
        DataError: The file cannot be written.
    """
    full = [one for one in poses if len(one)]
    skeleton = full[0].skeleton if full else None
    about = {
        "format": POSES_FORMAT,
        "unit": poses[0].unit if poses else "body heights",
        "skeleton": None if skeleton is None else {"name": skeleton.name, "joints": list(skeleton.joints)},
    }
    arrays = {
        "about": np.array(json.dumps(about)),
        "index": np.array([one.index for one in poses], dtype=np.int64),
        "count": np.array([len(one) for one in poses], dtype=np.int64),
    }
    for name in ("ids", "joints", "scores", "uncertainties", "reprojection_errors", "views_used"):
        parts = [getattr(one, name) for one in full]
        if parts and all(part is not None for part in parts):
            arrays[name] = np.concatenate(parts)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]  # the stubs mistake names for allow_pickle
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.getvalue())


def read_poses(path: str | Path) -> list[Poses3D]:
    """Read what `write_poses` wrote.

    Raises:
        DataError: The file is missing, damaged, of a newer format, or something else.
    """
    source = as_path(path, "the path of poses")
    try:
        with np.load(source, allow_pickle=False) as content:
            arrays = dict(content)
        about = json.loads(str(arrays["about"]))
        newer = int(about["format"]) > POSES_FORMAT
        poses = [] if newer else list(_instants(arrays, about))
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError, BadZipFile) as error:
        raise DataError(f"{source} holds no poses: give a file that PoseTracks.save wrote ({error})") from error
    if newer:
        raise DataError(f"{source} is of format {about['format']}, newer than {POSES_FORMAT}: update selfmva")
    return poses


def _instants(arrays: dict[str, np.ndarray], about: dict[str, Any]) -> Iterator[Poses3D]:
    named = about["skeleton"]
    skeleton = None if named is None else Skeleton(named["name"], tuple(named["joints"]))
    ends = np.cumsum(arrays["count"]).tolist()
    for index, start, end in zip(arrays["index"].tolist(), [0, *ends][: len(ends)], ends, strict=True):
        if end == start:
            nobody = np.zeros(0, np.int64)
            yield Poses3D(np.zeros((0, 0, 3)), np.zeros((0, 0)), nobody, index=index, unit=about["unit"])
            continue
        names = ("joints", "scores", "ids", "uncertainties", "reprojection_errors", "views_used")
        parts = {name: arrays[name][start:end] for name in names if name in arrays}
        yield Poses3D(**parts, skeleton=skeleton, index=index, unit=about["unit"])


def write_trc(folder: str | Path, poses: Sequence[Poses3D], frames_per_second: float, up: UpAxis) -> list[Path]:
    """Write a TRC file for each person; see `PoseTracks.to_trc`.

    TRC is text in columns: five lines of head, then for every frame its number, its time in seconds, and x, y and z of
    every marker, empty where it is not known.
    """
    rate = real(frames_per_second, "frames_per_second", above=0)
    if not is_one_of(up, ("y", "z")):
        raise InputError(f"up must be 'y' or 'z', got {shown(up)}")
    files = []
    for path, names, instants, joints in _each_person(folder, poses, ".trc"):
        places = joints @ Y_UP.T if up == "y" else joints
        head = [
            ["PathFileType", "4", "(X/Y/Z)", path.name],
            list(TRC_HEAD),
            [f"{rate:g}", f"{rate:g}", str(len(instants)), str(len(names)), "m", f"{rate:g}", "1", str(len(instants))],
            ["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))],
            ["", "", *(f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ")],
            [],
        ]
        rows = [
            [str(number), f"{instant / rate:.6f}", *("" if np.isnan(v) else f"{v:.6f}" for v in row.reshape(-1))]
            for number, (instant, row) in enumerate(zip(instants.tolist(), places, strict=True), start=1)
        ]
        with atomic_write(path) as temporary:
            temporary.write_text("".join("\t".join(cells) + "\n" for cells in head + rows), encoding="utf-8")
        files.append(path)
    return files


def write_c3d(folder: str | Path, poses: Sequence[Poses3D], frames_per_second: float) -> list[Path]:
    """Write a C3D file for each person; see `PoseTracks.to_c3d`. Markers that are not known have a residual of -1."""
    require("c3d", "c3d")
    import c3d

    rate = real(frames_per_second, "frames_per_second", above=0)
    files = []
    for path, names, instants, joints in _each_person(folder, poses, ".c3d"):
        writer = c3d.Writer(point_rate=rate, point_units="mm")
        writer.set_point_labels(names)
        writer.set_screen_axis("+X", "+Z")
        writer.set_start_frame(max(int(instants[0]), 0) + 1)  # frames are counted from 1
        points = np.zeros((len(joints), len(names), 5), np.float32)
        known = np.asarray(np.isfinite(joints).all(axis=-1))
        points[..., :3] = np.where(known[..., None], MILLIMETRES * joints, 0.0)
        points[..., 3] = np.where(known, 0.0, -1.0)
        nothing = np.zeros((0, 0), np.float32)  # of analogue channels
        writer.add_frames([(frame, nothing) for frame in points])
        content = io.BytesIO()
        with warnings.catch_warnings():  # it warns that there are no analogue channels
            warnings.simplefilter("ignore")
            writer.write(content)
        with atomic_write(path) as temporary:
            temporary.write_bytes(content.getvalue())
        files.append(path)
    return files


def _each_person(
    folder: str | Path, poses: Sequence[Poses3D], ending: str
) -> Iterator[tuple[Path, list[str], IntArray, FloatArray]]:
    """File, names of joints, numbers of instants from the first to the last that shows them, and joints there."""
    target = as_path(folder, "the folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {target}: {error.strerror or error}") from error
    count, skeleton = next(((one.joints.shape[1], one.skeleton) for one in poses if len(one)), (0, None))
    names = [f"joint{number}" for number in range(count)] if skeleton is None else list(skeleton.joints)
    columns = pack_poses(poses, count)
    for number, person in enumerate(columns.people.tolist()):
        rows = columns.person == number
        instants = columns.instant[rows]
        every = np.arange(instants[0], instants[-1] + 1)
        joints = np.full((len(every), count, 3), np.nan)
        joints[instants - instants[0]] = columns.joints[rows]
        yield target / f"person{person}{ending}", names, every, joints
