"""The command line in process, a small scene, and a model that was fitted on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from selfmva.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCENE = {"views": 2, "people": 4, "instants": 200, "seed": 1}
SCENE_ARGUMENTS = (
    "--dataset",
    "simulated",
    *(part for name, value in SCENE.items() for part in ("--option", f"{name}={value}")),
)
RECIPE = ("recipe.steps=30", "recipe.boxes=100", "recipe.learning_rate=0.002")  # the floor does the rest


@dataclass(frozen=True)
class Outcome:
    """What a run of the program left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output, which must be one strict JSON document."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the program in process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def scene_arguments() -> tuple[str, ...]:
    """Arguments that name the small scene."""
    return SCENE_ARGUMENTS


@pytest.fixture(scope="session")
def scene() -> Any:
    """The small scene itself."""
    from selfmva.datasets.simulated import Simulated

    return Simulated(**SCENE)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `selfmva fit` made from the small scene."""
    folder = tmp_path_factory.mktemp("cli") / "model"
    assert (
        main(["fit", "--recipe=batch", *SCENE_ARGUMENTS, *(f"--set={text}" for text in RECIPE), "--out", str(folder)])
        == 0
    )
    return folder
