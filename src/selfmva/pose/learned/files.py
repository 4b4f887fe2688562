"""Learnt poses as a folder: `config.json` and `model.safetensors`, never a pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors

from selfmva.core.skeletons import Skeleton
from selfmva.core.types import View
from selfmva.errors import CheckpointError, SelfMVAError
from selfmva.geometry.cameras import Camera
from selfmva.io.storage.atomic import atomic_write
from selfmva.pose.learned.recipe import PoseRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.learned.model import PoseModel
    from selfmva.pose.learned.rig import PoseRig

POSE_FORMAT = "selfmva-poses-1"
POSE_CONFIG, POSE_WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True, eq=False)
class StoredPoses:
    """What a folder holds: everything that an estimator is made of."""

    folder: Path
    views: tuple[View, ...]
    cameras: tuple[Camera | None, ...]
    skeleton: Skeleton
    body_height: float
    recipe: PoseRecipe
    tensors: dict[str, Tensor]

    def fill(self, model: PoseModel) -> None:
        """Give a model the weights of the folder.

        Raises:
            CheckpointError: They are of another architecture.
        """
        wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        found = {name: tuple(value.shape) for name, value in self.tensors.items()}
        if wanted != found:
            name = min(set(wanted.items()) ^ set(found.items()))[0]
            raise CheckpointError(
                f"{self.folder / POSE_WEIGHTS} does not fit {POSE_CONFIG}: {name} has shape {found.get(name)}, "
                f"expected {wanted.get(name)}"
            )
        model.load_state_dict(self.tensors)


def write_model(folder: str | Path, model: PoseModel, rig: PoseRig, recipe: PoseRecipe) -> None:
    """Write a folder; who reads meanwhile finds whole files.

    Raises:
        DataError: The disk is full or refuses.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    config = {
        "format": POSE_FORMAT,
        "views": [{"name": view.name, "width": view.width, "height": view.height} for view in rig.views],
        "cameras": [None if camera is None else _camera(camera) for camera in rig.cameras],
        "skeleton": {"name": rig.skeleton.name, "joints": list(rig.skeleton.joints)},
        "body_height": rig.body_height,
        "recipe": recipe.model_dump(),
    }
    weights = dump_tensors({name: value.cpu().contiguous() for name, value in model.state_dict().items()})
    with atomic_write(target / POSE_WEIGHTS) as temporary:
        Path(temporary).write_bytes(weights)
    with atomic_write(target / POSE_CONFIG) as temporary:
        Path(temporary).write_text(json.dumps(config, indent=2), encoding="utf-8")


def read_model(folder: str | Path) -> StoredPoses:
    """Read what `write_model` wrote.

    Raises:
        CheckpointError: A file is missing, damaged or of another kind.
    """
    source = Path(folder)
    try:
        config = json.loads((source / POSE_CONFIG).read_text(encoding="utf-8"))
        tensors = load_tensors((source / POSE_WEIGHTS).read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"{source} holds no learnt poses that can be read ({error}); expected {POSE_CONFIG} and {POSE_WEIGHTS}"
        ) from error
    if not isinstance(config, dict) or config.get("format") != POSE_FORMAT:
        told = config.get("format") if isinstance(config, dict) else type(config).__name__
        raise CheckpointError(f"{source / POSE_CONFIG} is of another format: {told!r}, expected {POSE_FORMAT!r}")
    try:
        return StoredPoses(
            folder=source,
            views=tuple(View(**view) for view in config["views"]),
            cameras=tuple(None if told is None else Camera(**told) for told in config["cameras"]),
            skeleton=Skeleton(config["skeleton"]["name"], tuple(config["skeleton"]["joints"])),
            body_height=float(config["body_height"]),
            recipe=PoseRecipe(**config["recipe"]),
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError, ValidationError, SelfMVAError) as error:
        raise CheckpointError(f"{source / POSE_CONFIG} is damaged: {error}") from error


def _camera(camera: Camera) -> dict[str, Any]:
    return {name: getattr(camera, name).tolist() for name in ("K", "R", "t", "distortion")}
