"""The files of a model as one: whoever reads sees the old model or the new one, whenever whoever writes is killed.

`config.json` is the truth: it names its weights by their digest, and itself by its own. New weights lie beside the old
ones, hidden and named by their digest, before the new config takes the place of the old one, and take their own place
after it. A reader that finds other weights than the config names looks there, and else reads again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from selfmva.errors import CheckpointError, DataError
from selfmva.io.storage.atomic import TEMPORARY_NAME, atomic_write, flush_to_disk
from selfmva.io.storage.folder_lock import folder_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
CONFIG_DIGEST, WEIGHTS_DIGEST = "config_sha256", "weights_sha256"
MOST_BYTES = {CONFIG: 64 << 20, WEIGHTS: 512 << 20}  # far above the largest models: a hundred views, 20 and 8 MiB
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth", ".tar")
TEMPORARY = re.compile(rf"{TEMPORARY_NAME}\.(json|md)|\.model\.safetensors\.[0-9a-f]{{64}}")


@dataclass(frozen=True)
class ReadingSettings:
    """How long a reader waits for a writer."""

    alike: int = 3  # times that the same config is read with other weights than its own, before they are given up
    most: int = 1000  # times that anything is read, while others write
    pause: float = 0.002  # seconds in between


READING = ReadingSettings()


def config_digest(config: dict[str, Any]) -> str:
    """SHA-256 of everything that a config says but its own digest, however it is laid out."""
    said = {name: value for name, value in config.items() if name != CONFIG_DIGEST}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_files(folder: Path, config: dict[str, Any], weights: bytes, write_card: Callable[[], str | None]) -> None:
    """Write a model; one writer after the other.

    Args:
        folder: Made where it is missing.
        config: Without digests.
        weights: Of a safetensors file.
        write_card: Gives the text of the card, asked where it can be written; None: the one that is there stays.

    Raises:
        DataError: The disk is full or refuses; what was there before is unchanged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error}") from error
    digest = hashlib.sha256(weights).hexdigest()
    config = {**config, WEIGHTS_DIGEST: digest}
    text = json.dumps({**config, CONFIG_DIGEST: config_digest(config)}, indent=2, allow_nan=False)
    card, pending, named = folder / CARD, hidden_weights(folder, digest), False
    try:
        with folder_lock(folder):
            _finish_what_was_killed(folder)
            try:
                pending.write_bytes(weights)
                if (folder / WEIGHTS).exists():
                    shutil.copymode(folder / WEIGHTS, pending)
                flush_to_disk(pending)
                said = write_card()
                with atomic_write(card) as new_card:
                    new_card.write_bytes(card.read_bytes() if said is None else said.encode())
                    with atomic_write(folder / CONFIG) as new_config:
                        new_config.write_text(text, encoding="utf-8")
                    named = True
                    pending.replace(folder / WEIGHTS)
            finally:
                if not named:
                    pending.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {folder / WEIGHTS}: {error}; what was there before is unchanged") from error


def read_files(folder: Path, check: Callable[[Path, bytes], None]) -> tuple[dict[str, Any], bytes]:
    """Read a model.

    Args:
        folder: What `write_files` wrote.
        check: Called with weights that are not those of the config, to say what else they are.

    Returns:
        What the config says, and the weights.

    Raises:
        CheckpointError: A file is missing, damaged or too large, or the two do not belong together.
    """
    before, alike, data = b"", 0, None
    for _ in range(READING.most):
        text = _read(folder / CONFIG)
        if text is None:
            break
        config = _parse(folder / CONFIG, text)
        wanted = config.get(WEIGHTS_DIGEST)
        if not isinstance(wanted, str) or not re.fullmatch("[0-9a-f]{64}", wanted):
            raise CheckpointError(f"{folder / CONFIG} is damaged: unknown or missing {WEIGHTS_DIGEST}")
        for path in (folder / WEIGHTS, hidden_weights(folder, wanted)):
            found = _read(path)
            if found is not None and hashlib.sha256(found).hexdigest() == wanted:
                return config, found
            data = data if found is None else found
        alike = alike + 1 if text == before else 1
        if alike >= READING.alike:
            break
        before = text
        time.sleep(READING.pause)  # somebody writes
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing or data is None:
        raise CheckpointError(f"{folder} lacks {' and '.join(missing or [WEIGHTS])}: {_what_is_there(folder)}")
    check(folder / WEIGHTS, data)
    raise CheckpointError(
        f"{folder / WEIGHTS} is damaged or does not belong to {CONFIG}: its hash differs; get both anew"
    )


def hidden_weights(folder: Path, digest: str) -> Path:
    """Where new weights wait for their config."""
    return folder / f".{WEIGHTS}.{digest}"


def _finish_what_was_killed(folder: Path) -> None:
    """Put weights in their place whose config is there, and remove what nobody will ever name."""
    with suppress(CheckpointError, ValueError):
        text = _read(folder / CONFIG)
        wanted = None if text is None else json.loads(text).get(WEIGHTS_DIGEST)
        waiting = hidden_weights(folder, str(wanted))
        if TEMPORARY.fullmatch(waiting.name) and hashlib.sha256(_read(waiting) or b"").hexdigest() == wanted:
            waiting.replace(folder / WEIGHTS)
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    """The content of a file; None where there is none."""
    most = MOST_BYTES.get(path.name, MOST_BYTES[WEIGHTS])
    try:
        size = path.stat().st_size
        if size > most:
            raise CheckpointError(f"{path} has {size:,} bytes, no model has more than {most:,}: refused")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        config = json.loads(text.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} is no config of an associator: it has no format_version")
    return config


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def _what_is_there(source: Path) -> str:
    """Why a folder is no model."""
    pickles = sorted(path.name for path in source.glob("*") if path.name.endswith(PICKLES))
    if pickles:
        return (
            f"{pickles[0]} is a pickle or an archive, which may run code, and is refused; `selfmva convert` reads "
            "checkpoints of the published code safely"
        )
    return "is it a folder made by save_pretrained()?"
