"""Saved models under kills, readers beside writers, flipped bits and random changes: always a whole model, or an error.

    python benchmarks/persistence.py --kills 500 --loads 50000 --mutations 1000 --flips 200

Prints what came of each, and exits 1 where it is anything else than a whole model or the library's error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from selfmva import Associator
from selfmva.association.pretrained import CONFIG, WEIGHTS
from selfmva.errors import SelfMVAError

WRITER = """
import sys
from selfmva import Associator
models = [Associator.from_pretrained(name) for name in sys.argv[2:]]
print("ready", flush=True)
while True:
    for model in models:
        model.save_pretrained(sys.argv[1])
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (("kills", 500), ("loads", 50_000), ("mutations", 1000), ("flips", 200)):
        parser.add_argument(f"--{name}", type=int, default=count)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        room = Path(temporary)
        names = [str(two_models(room, seed)) for seed in (0, 1)]
        good = all(
            (
                killed(room, names, args.kills),
                beside_writers(room, names, args.loads),
                mutated(room, Path(names[0]), args.mutations),
                flipped(room, Path(names[0]), args.flips),
            )
        )
    return 0 if good else 1


def two_models(room: Path, seed: int) -> Path:
    """Models that are told apart by their seeds."""
    model = Associator.from_pretrained("wildtrack").model_
    folder = room / f"model{seed}"
    model = replace(model, config=model.config.model_copy(update={"seed": seed}))
    Associator.from_model(model).save_pretrained(folder)
    return folder


def write_for_ever(folder: Path, names: list[str]) -> subprocess.Popen[str]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), *names], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    return writer


def outcome(folder: Path) -> str:
    try:
        return f"model {Associator.from_pretrained(folder).get_params()['seed']}"
    except SelfMVAError as error:
        return f"refused: {str(error)[-60:]}"


def killed(room: Path, names: list[str], kills: int) -> bool:
    """A writer is killed at any moment, and the folder read."""
    folder, found, rng = room / "killed", Counter[str](), np.random.default_rng(0)
    shutil.copytree(names[0], folder)
    models = [Associator.from_pretrained(name) for name in names]
    for number in range(kills):
        child = os.fork()
        if not child:
            while True:
                for model in models[:: -1 if number % 2 else 1]:
                    model.save_pretrained(folder)
        time.sleep(rng.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found[outcome(folder)] += 1
    print("after kills:", dict(found))
    return set(found) <= {"model 0", "model 1"}


def beside_writers(room: Path, names: list[str], loads: int) -> bool:
    """Two writers of one folder, and a reader."""
    folder, found = room / "beside", Counter[str]()
    shutil.copytree(names[0], folder)
    writers = [write_for_ever(folder, order) for order in (names, names[::-1])]
    try:
        for _ in range(loads):
            found[outcome(folder)] += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    print("beside two writers:", dict(found))
    return set(found) <= {"model 0", "model 1"}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, inner in items for leaf in leaves(inner, (*path, key))]
    return [path]


def mutated(room: Path, source: Path, mutations: int) -> bool:
    """Any value of the config becomes another one."""
    return tried(room, source, mutations, "changed values", change_value)


def flipped(room: Path, source: Path, flips: int) -> bool:
    """Any bit of any file is flipped."""
    return tried(room, source, flips, "flipped bits", flip_bit)


def pick(values: list[Any], rng: np.random.Generator) -> Any:
    return values[int(rng.integers(len(values)))]


def change_value(folder: Path, rng: np.random.Generator) -> None:
    config = json.loads((folder / CONFIG).read_text())
    *path, last = pick(leaves(config), rng)
    place = config
    for key in path:
        place = place[key]
    old = place[last]
    others = [None, True, -1, 0, 1e300, "x", [], {}, old * 2 if isinstance(old, int | float) else [old]]
    place[last] = pick(others, rng)
    (folder / CONFIG).write_text(json.dumps(config))


def flip_bit(folder: Path, rng: np.random.Generator) -> None:
    path = folder / pick([CONFIG, WEIGHTS], rng)
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


def tried(room: Path, source: Path, times: int, what: str, change: Any) -> bool:
    boxes = [np.array([[100.0 + 200 * k, 300, 180 + 200 * k, 520] for k in range(6)])] * 7
    wanted = [ids.tolist() for ids in Associator.from_pretrained(source).associate(boxes).ids]
    found, rng = Counter[str](), np.random.default_rng(1)
    for _ in range(times):
        shutil.rmtree(room / "copy", ignore_errors=True)
        shutil.copytree(source, room / "copy")
        change(room / "copy", rng)
        try:
            ids = [own.tolist() for own in Associator.from_pretrained(room / "copy").associate(boxes).ids]
            found["the same groups" if ids == wanted else "OTHER GROUPS"] += 1
        except SelfMVAError:
            found["refused"] += 1
        except Exception as error:  # noqa: BLE001  # what this looks for
            found[f"RAW {type(error).__name__}: {error}"] += 1
    print(f"{what}:", dict(found))
    return set(found) <= {"the same groups", "refused"}


if __name__ == "__main__":
    sys.exit(main())
