"""An associator as a folder: `config.json` and `model.safetensors`, never a pickle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as deserialize
from safetensors.torch import save as serialize

from selfmva._version import __version__
from selfmva.affinity import DistanceTable
from selfmva.config import AssociatorConfig, build
from selfmva.errors import CheckpointError, DataError
from selfmva.fusion import FusedTable
from selfmva.geometry.cameras import PARAMETERS
from selfmva.geometry.plan import Floor
from selfmva.geometry.support import Support
from selfmva.io.atomic import atomic_write
from selfmva.report import FitReport, plain, with_nan
from selfmva.types import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from selfmva.evidence import Tables
    from selfmva.types import FloatArray

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FORMAT_VERSION, FORMAT_WITHOUT_APPEARANCE = 3, 2
KEYS = frozenset(
    ("format_version", "selfmva_version", "weights_sha256", "views", "params", "floor", "fit_report", "appearance")
)


@dataclass(frozen=True, eq=False)
class SavedAssociator:
    """Everything that an associator has learnt.

    Attributes:
        views: The cameras.
        params: Hyper-parameters as plain values, without the device.
        weights: State of the `BoxEncoder`.
        floor: The common floor; None where none was found.
        lines: Trusted fundamental matrices of head points, by view pair.
        tables: What distances mean, by view pair; None where nothing was calibrated.
        report: What fit() reported; None where there was no fit.
        appearance: Identity of the encoder by whose features appearance was learnt; None where it was not.
    """

    views: tuple[View, ...]
    params: dict[str, Any]
    weights: dict[str, Tensor]
    floor: Floor | None
    lines: Mapping[tuple[int, int], FloatArray]
    tables: Tables | None
    report: FitReport | None
    appearance: str | None = None


def save(folder: str | Path, saved: SavedAssociator) -> None:
    """Write both files; a full disk or a crash leaves what was there before.

    Args:
        folder: Made where it is missing.
        saved: What to write.

    Raises:
        DataError: The disk is full or refuses; what was there before is unchanged.
    """
    target = Path(folder)
    tensors = {f"encoder.{name}": tensor for name, tensor in saved.weights.items()} | _tensors(saved)
    weights = serialize({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()})
    config = {
        "format_version": FORMAT_VERSION,
        "selfmva_version": __version__,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "views": [asdict(view) for view in saved.views],
        "params": saved.params,
        "floor": None if saved.floor is None else _floor_values(saved.floor),
        "fit_report": None if saved.report is None else saved.report.to_dict(),
        "appearance": saved.appearance,
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {target}: {error}") from error
    # Both are on the disk before either takes its place: a full disk changes nothing.
    with atomic_write(target / CONFIG) as new_config, atomic_write(target / WEIGHTS) as new_weights:
        new_weights.write_bytes(weights)
        new_config.write_text(json.dumps(config, indent=2, allow_nan=False), encoding="utf-8")


def load(folder: str | Path) -> SavedAssociator:
    """Read what `save` wrote.

    Args:
        folder: Holds `config.json` and `model.safetensors`.

    Returns:
        Everything that was learnt.

    Raises:
        CheckpointError: A file is missing, damaged, of a newer format, or the two do not belong together.
    """
    source = Path(folder)
    missing = [name for name in (CONFIG, WEIGHTS) if not (source / name).is_file()]
    if missing:
        raise CheckpointError(f"{source} lacks {' and '.join(missing)}: is it a folder made by save_pretrained()?")
    config = _read_config(source / CONFIG)
    data = (source / WEIGHTS).read_bytes()
    if hashlib.sha256(data).hexdigest() != config["weights_sha256"]:
        raise CheckpointError(f"{source / WEIGHTS} is damaged or does not belong to {CONFIG}: its hash differs")
    try:
        tensors = deserialize(data)
        weights = {k.removeprefix("encoder."): v for k, v in tensors.items() if k.startswith("encoder.")}
        report = config["fit_report"]
        views = tuple(View(**view) for view in config["views"])
        saved = SavedAssociator(
            views=views,
            params=build(AssociatorConfig, config["params"]).model_dump(exclude={"device"}),
            weights=weights,
            floor=_floor(config["floor"], views),
            lines={_pair(k): v.numpy() for k, v in tensors.items() if k.startswith("lines.")},
            tables=_tables(tensors),
            report=None if report is None else FitReport.from_dict(report),
            appearance=config["appearance"],
        )
        _check_all_known(tensors, saved)
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{source} is damaged or of another version: {error}") from error
    return saved


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("format_version"), int):
        raise CheckpointError(f"{path} is no config of an associator: it has no format_version")
    if config["format_version"] > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format {config['format_version']}, this version reads up to {FORMAT_VERSION}: "
            f"run `pip install 'selfmva>={config.get('selfmva_version', '')}'`"
        )
    if config["format_version"] == FORMAT_WITHOUT_APPEARANCE:
        config["appearance"] = None
    if set(config) != KEYS:
        odd = ", ".join(sorted(set(config) ^ KEYS))
        raise CheckpointError(f"{path} is damaged or of another version: unknown or missing {odd}")
    return config


def _check_all_known(tensors: Mapping[str, Tensor], saved: SavedAssociator) -> None:
    unknown = {name for name in tensors if not name.startswith("encoder.")} - set(_tensors(saved))
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")


def _floor_values(floor: Floor) -> dict[str, Any]:
    return {
        "unit": floor.unit,
        "cameras": [None if camera is None else camera.tolist() for camera in floor.cameras],
        "supports": [[i, j, plain(asdict(support))] for (i, j), support in floor.supports.items()],
    }


def _floor(values: dict[str, Any] | None, views: tuple[View, ...]) -> Floor | None:
    if values is None:
        return None
    cameras = tuple(None if camera is None else np.array(camera, dtype=np.float64) for camera in values["cameras"])
    if len(cameras) != len(views) or any(c is not None and c.shape != (PARAMETERS,) for c in cameras):
        raise ValueError(f"the floor needs {PARAMETERS} numbers for each of {len(views)} cameras")
    supports = {(i, j): Support(**with_nan(support)) for i, j, support in values["supports"]}
    return Floor(views, cameras, supports, values["unit"])


def _pair(name: str) -> tuple[int, int]:
    """The view pair in the name of a tensor."""
    i, j = (int(number) for number in name.split(".")[1:3])
    return i, j


def _tensors(saved: SavedAssociator) -> dict[str, Tensor]:
    tensors = {f"lines.{i}.{j}": torch.from_numpy(matrix) for (i, j), matrix in saved.lines.items()}
    for (i, j), fused in (saved.tables or {}).items():
        tensors[f"tables.{i}.{j}.weights"] = torch.tensor(fused.weights)  # a copy: view pairs share the array
        tensors[f"tables.{i}.{j}.bias"] = torch.tensor(fused.bias, dtype=torch.float64)
        for cue, table in enumerate(fused.tables):
            if table is not None:
                prefix = f"tables.{i}.{j}.{cue}"
                tensors[f"{prefix}.distances"] = torch.from_numpy(table.distances)
                tensors[f"{prefix}.log_odds"] = torch.from_numpy(table.log_odds)
                tensors[f"{prefix}.true_share"] = torch.tensor(table.true_share, dtype=torch.float64)
    return tensors


def _tables(tensors: dict[str, Tensor]) -> Tables | None:
    tables: Tables = {}
    for name, weights in tensors.items():
        if name.startswith("tables.") and name.endswith(".weights"):
            prefix = name.removesuffix(".weights")
            cues = (_table(tensors, f"{prefix}.{cue}") for cue in range(len(weights)))
            tables[_pair(name)] = FusedTable(tuple(cues), weights.numpy(), float(tensors[f"{prefix}.bias"]))
    return tables or None


def _table(tensors: dict[str, Tensor], prefix: str) -> DistanceTable | None:
    if f"{prefix}.distances" not in tensors:
        return None
    distances, log_odds = (tensors[f"{prefix}.{part}"].numpy() for part in ("distances", "log_odds"))
    return DistanceTable(distances, log_odds, float(tensors[f"{prefix}.true_share"]))


def find_folder(
    name: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> Path:
    """The folder of a saved associator: a local one, or a repository of the model hub, downloaded once.

    Args:
        name: A folder, or `"organization/name"` on the hub.
        revision: Branch, tag or commit of the repository.
        token: Of the hub, for private repositories.
        cache_dir: Where downloads are kept; the hub's own default where None.
        local_files_only: Never ask the network.

    Returns:
        A local folder.

    Raises:
        CheckpointError: No such folder, and not the form of a repository's name.
        DataError: The hub cannot be reached or has no such repository.
    """
    if Path(name).is_dir():
        return Path(name)
    parts = str(name).split("/")
    if isinstance(name, Path) or len(parts) != 2 or not all(parts) or parts[0] in {".", ".."}:
        raise CheckpointError(f"{name} is neither a folder nor the name of a hub repository ('organization/name')")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                str(name),
                revision=revision,
                token=token,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
                allow_patterns=[CONFIG, WEIGHTS],
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise DataError(f"cannot get {name} from the model hub: {error}") from error
