"""A model as a folder: `config.json`, `model.safetensors` and a model card; never a pickle."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as deserialize
from safetensors.numpy import save as serialize

from selfmva._version import __version__
from selfmva.association.doubles.learning import Doubles
from selfmva.association.doubles.overlap import OVERLAP_CELLS
from selfmva.association.fit_report import FitReport, plain, with_nan
from selfmva.association.model import FittedModel
from selfmva.association.pretrained.arrays import ENCODER, from_arrays, to_arrays
from selfmva.association.pretrained.camera_arrays import CAMERA_ARRAYS, cameras_from_arrays, cameras_to_arrays
from selfmva.association.pretrained.card import Card, is_ours, write_card
from selfmva.association.pretrained.files import (
    CARD,
    CONFIG,
    CONFIG_DIGEST,
    WEIGHTS,
    config_digest,
    read_files,
    write_files,
)
from selfmva.association.pretrained.profile_arrays import is_of_profile, profile_from_arrays, profile_to_arrays
from selfmva.core.config import AssociatorConfig, AutoRecipe, GeometryRecipe, build
from selfmva.core.types import View
from selfmva.errors import CheckpointError
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import PARAMETERS
from selfmva.geometry.floor_likelihood import LIKELIHOOD
from selfmva.geometry.intrinsics import Intrinsics
from selfmva.geometry.support import Support

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.core.config import Recipe
    from selfmva.core.types import IntArray
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.cameras import Camera

FORMAT_VERSION = 7  # cameras that joints told or a user gave, and which joints these are; 6: a digest, what fit() saw
FORMAT_WITHOUT_DIGEST = 5  # cues by name
FORMAT_WITH_NUMBERED_CUES, FORMAT_WITHOUT_CARD, FORMAT_WITHOUT_APPEARANCE = 4, 3, 2
KEYS = frozenset(
    (
        "format_version",
        "selfmva_version",
        "weights_sha256",
        "views",
        "params",
        "floor",
        "fit_report",
        "appearance",
        "feature_length",
        "card",
    )
)
DOUBLES_ARRAY = "doubles"  # name of an array
FIRST_BYTES = {
    b"PK\x03\x04": "a zip archive, as pickled weights are",
    b"\x80": "a pickle",
    b"\x1f\x8b": "a compressed archive",
}
Precision = Literal["float32", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def save(folder: str | Path, model: FittedModel, precision: Precision = "float32", name: str = "") -> None:
    """Write all files; a full disk or a crash leaves what was there before.

    Args:
        folder: Made where it is missing. A `README.md` that is not ours stays.
        model: What to write.
        precision: Of the weights of the encoder.
        name: What `from_pretrained` will be called with, for the card; that of the folder where empty.

    Raises:
        DataError: The disk is full or refuses; what was there before is unchanged.
    """
    target = Path(folder)
    weights_of_encoder = None if model.encoder is None else model.encoder.state_dict()
    arrays = to_arrays(weights_of_encoder, model.lines, model.tables) | profile_to_arrays(model.profile)
    arrays |= cameras_to_arrays(model.cameras, model.joints)
    arrays |= {} if model.doubles is None else {DOUBLES_ARRAY: model.doubles.probabilities}
    kept = {name: array.astype(precision) if name.startswith(ENCODER) else array for name, array in arrays.items()}
    weights = serialize({name: np.array(array, order="C") for name, array in kept.items()})
    config = {
        "format_version": FORMAT_VERSION,
        "selfmva_version": __version__,
        "views": [asdict(view) for view in model.views],
        "params": model.config.model_dump(mode="json", exclude={"device"}),
        "floor": None if model.floor is None else _floor_values(model.floor),
        "fit_report": None if model.report is None else model.report.to_dict(),
        "appearance": model.appearance,
        "feature_length": model.feature_length,
        "card": None if model.card is None else model.card.model_dump(mode="json"),
    }

    def card() -> str | None:
        old = target / CARD
        if old.is_file() and not is_ours(old.read_text("utf-8", errors="replace")):
            return None
        return write_card(model.card, model.views, model.report, name or target.resolve().name)

    write_files(target, config, weights, card)


def load(folder: str | Path) -> FittedModel:
    """Read what `save` wrote.

    Args:
        folder: Holds `config.json` and `model.safetensors`.

    Returns:
        Everything that was learnt.

    Raises:
        CheckpointError: A file is missing, damaged, of a newer format, holds a pickle or what no model has, or the two
            do not belong together.
    """
    source = Path(folder)
    config, data = read_files(source, _refuse_code)
    config = _checked_config(config, source / CONFIG)
    _refuse_code(source / WEIGHTS, data)
    try:
        views = tuple(View(**view) for view in config["views"])
        numbered = config["format_version"] <= FORMAT_WITH_NUMBERED_CUES
        arrays = deserialize(data)
        of_profile = {name: arrays.pop(name) for name in list(arrays) if is_of_profile(name)}
        of_cameras = {name: arrays.pop(name) for name in list(arrays) if name.startswith(CAMERA_ARRAYS)}
        cameras, joints = cameras_from_arrays(of_cameras, len(views))
        doubles = None if DOUBLES_ARRAY not in arrays else _doubles(arrays.pop(DOUBLES_ARRAY), len(views))
        weights, lines, tables = from_arrays(arrays, len(views), numbered_cues=numbered)
        params = build(AssociatorConfig, config["params"])
        _check_recipe(params.recipe, embedding=weights is not None)
        _check_path(params.appearance.encoder or "")
        report = None if config["fit_report"] is None else FitReport.from_dict(config["fit_report"])
        card = config["card"]
        return FittedModel(
            views=views,
            config=params,
            clock_offsets=_offsets(report, views),
            encoder=None if weights is None else _encoder(views, params, weights, source),
            floor=_floor(config["floor"], views),
            mirrored=_mirrored(report, views),
            lines=lines,
            tables=tables,
            report=report,
            appearance=config["appearance"],
            feature_length=config["feature_length"],
            card=None if card is None else build(Card, card),
            doubles=doubles,
            cameras=cameras,
            joints=joints,
            profile=profile_from_arrays(of_profile, len(views)),
        )
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{source} is damaged or of another version: {error}") from error


def _encoder(views: tuple[View, ...], config: AssociatorConfig, weights: dict[str, Tensor], source: Path) -> BoxEncoder:
    from selfmva.association.pretrained.encoder import encoder_from_weights  # torch, which a floor alone needs not

    return encoder_from_weights(views, config.encoder.prompt, weights, str(source))


def _doubles(array: NDArray[Any], views: int) -> Doubles:
    if array.shape != (views, OVERLAP_CELLS) or not ((array >= 0) & (array <= 1)).all():
        raise ValueError(f"{DOUBLES_ARRAY} of shape {array.shape}, expected ({views}, {OVERLAP_CELLS}) probabilities")
    return Doubles(array.astype(np.float64))


def _offsets(report: FitReport | None, views: tuple[View, ...]) -> IntArray:
    clocks = {} if report is None else report.clock_offsets
    return np.array([clocks.get(view.name, 0) for view in views], dtype=np.int64)


def _mirrored(report: FitReport | None, views: tuple[View, ...]) -> tuple[int, ...]:
    return tuple(number for number, view in enumerate(views) if report is not None and view.name in report.mirrored)


def _check_recipe(recipe: Recipe, *, embedding: bool) -> None:
    if not isinstance(recipe, AutoRecipe) and embedding == isinstance(recipe, GeometryRecipe):
        raise ValueError(f"recipe {recipe.name!r} {'with' if embedding else 'without'} an embedding")


def _check_path(encoder: str) -> None:
    """The encoder of appearance is all that may be a file."""
    if ".." in re.split(r"[/\\:]", encoder):
        raise ValueError(f"its encoder of appearance, {encoder!r}, climbs out of its folder: refused")


def _refuse_code(path: Path, data: bytes) -> None:
    """Say it by name; nothing of it would be run anyway."""
    if data[8:9] == b"{":  # the JSON of safetensors; what stands before is its length, and may be any bytes
        return
    for first, what in FIRST_BYTES.items():
        if data.startswith(first):
            raise CheckpointError(f"{path} is {what}, which may run code: refused; expected safetensors")


def _checked_config(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """A config of any format as one of today's."""
    if type(config.get("format_version")) is not int:
        raise CheckpointError(f"{path} is no config of an associator: it has no format_version")
    if config["format_version"] > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format {config['format_version']}, this version reads up to {FORMAT_VERSION}: "
            f"run `pip install 'selfmva>={config.get('selfmva_version', '')}'`"
        )
    if config["format_version"] == FORMAT_WITHOUT_APPEARANCE:
        config["appearance"] = None
    if config["format_version"] in {FORMAT_WITHOUT_APPEARANCE, FORMAT_WITHOUT_CARD}:
        config["card"] = None
    if config["format_version"] <= FORMAT_WITH_NUMBERED_CUES:
        config["feature_length"] = None
    signed = config["format_version"] > FORMAT_WITHOUT_DIGEST
    keys = KEYS | {CONFIG_DIGEST} if signed else KEYS
    if set(config) != keys:
        odd = ", ".join(sorted(set(config) ^ keys))
        raise CheckpointError(f"{path} is damaged or of another version: unknown or missing {odd}")
    if signed and config[CONFIG_DIGEST] != config_digest(config):
        raise CheckpointError(
            f"{path} is damaged or was changed by hand: its digest differs; get it anew, or load what was there "
            "before, change it with set_params() and save it again"
        )
    return config


def _lenses(values: dict[str, Any], views: tuple[View, ...]) -> tuple[Camera | None, ...] | None:
    lenses = values.get("lenses")
    if lenses is None:
        return None
    if len(lenses) != len(views):
        raise ValueError(f"the floor has {len(lenses)} lenses for {len(views)} views")
    return tuple(None if lens is None else Intrinsics(*lens).unplaced for lens in lenses)


def _floor_values(floor: Floor) -> dict[str, Any]:
    return {
        "unit": floor.unit,
        "statures": None if floor.statures is None else floor.statures.tolist(),
        "lenses": None
        if floor.lenses is None
        else [None if lens is None else [lens.K.tolist(), lens.distortion.tolist()] for lens in floor.lenses],
        "foot_shifts": None if floor.foot_shifts is None else floor.foot_shifts.tolist(),
        "cameras": [None if camera is None else camera.tolist() for camera in floor.cameras],
        "supports": [[i, j, plain(asdict(support))] for (i, j), support in floor.supports.items()],
    }


def _floor(values: dict[str, Any] | None, views: tuple[View, ...]) -> Floor | None:
    if values is None:
        return None
    if set(values) - {"statures", "foot_shifts", "lenses"} != {"unit", "cameras", "supports"}:
        raise ValueError(
            f"the floor has {', '.join(sorted(values))}, expected unit, cameras, supports, statures and foot_shifts"
        )
    cameras = tuple(None if camera is None else np.array(camera, dtype=np.float64) for camera in values["cameras"])
    if len(cameras) != len(views) or any(c is not None and c.shape != (PARAMETERS,) for c in cameras):
        raise ValueError(f"the floor needs {PARAMETERS} numbers for each of {len(views)} cameras")
    supports = {(i, j): Support(**with_nan(support)) for i, j, support in values["supports"]}
    if not all(0 <= i < j < len(views) for i, j in supports):
        raise ValueError(f"the floor supports {max(supports)}, which is no pair of {len(views)} views")
    statures = values.get("statures")
    if statures is not None:
        statures = np.array(statures, dtype=np.float64)
        if statures.shape != LIKELIHOOD.statures.shape or not np.isfinite(statures).all():
            raise ValueError(f"the floor needs {len(LIKELIHOOD.statures)} log-odds of statures")
    shifts = values.get("foot_shifts")
    if shifts is not None:
        shifts = np.array(shifts, dtype=np.float64)
        if shifts.shape != (len(views), 2) or not np.isfinite(shifts).all():
            raise ValueError(f"the floor needs two foot shifts for each of {len(views)} views")
    return Floor(views, cameras, supports, values["unit"], statures, foot_shifts=shifts, lenses=_lenses(values, views))
