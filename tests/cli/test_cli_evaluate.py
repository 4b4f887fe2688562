"""`selfmva evaluate`: the figures of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from selfmva import Associator
from selfmva.metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def associator(model: Path) -> Associator:
    return Associator.from_pretrained(model)


def test_same_as_the_library(
    invoke: Callable, model: Path, scene_arguments: tuple[str, ...], scene: Any, associator: Associator
) -> None:
    outcome = invoke("evaluate", model, *scene_arguments, "--protocol", "both", "--json")
    content = outcome.json()
    assert (content["model"], content["dataset"], content["split"]) == (str(model), "simulated", "test")
    assert content["scores"] == {
        protocol: evaluate(associator, scene, protocol=protocol).to_dict() for protocol in ("calibrated", "self-mva")
    }
    assert content["scores"]["calibrated"] != content["scores"]["self-mva"]


def test_similarity_threshold(
    invoke: Callable, model: Path, scene_arguments: tuple[str, ...], scene: Any, associator: Associator
) -> None:
    arguments = ("--protocol", "self-mva", "--split", "validation", "--similarity-threshold", "0.9", "--json")
    content = invoke("evaluate", model, *scene_arguments, *arguments).json()
    wanted = evaluate(associator, scene, split="validation", protocol="self-mva", similarity_threshold=0.9)
    assert content["scores"] == {"self-mva": wanted.to_dict()}
    assert wanted.recall < evaluate(associator, scene, split="validation", protocol="self-mva").recall


def test_table(
    invoke: Callable, model: Path, scene_arguments: tuple[str, ...], scene: Any, associator: Associator
) -> None:
    outcome = invoke("evaluate", model, *scene_arguments)
    assert (outcome.code, outcome.err) == (0, "")
    rows = {line[:17].strip(): line[17:].strip() for line in outcome.out.splitlines()}
    scores = evaluate(associator, scene)
    assert rows["average precision"] == f"{scores.average_precision:.3f}"
    assert rows["box pairs"] == str(scores.box_pairs)


def test_undefined_scores(invoke: Callable, model: Path) -> None:
    """Nobody is ever detected: a dash in the table, null in the JSON."""
    arguments = ["evaluate", model, "--dataset", "simulated"]
    arguments += [f"--option={text}" for text in ("views=2", "instants=20", "miss_rate=1.0", "false_rate=0")]
    table = invoke(*arguments)
    assert (table.code, table.err) == (0, "")
    assert "recall             -" in table.out
    scores = invoke(*arguments, "--json").json()["scores"]["calibrated"]
    assert (scores["recall"], scores["pairs"]) == (None, 0)


def test_unknown_split(invoke: Callable, model: Path, scene_arguments: tuple[str, ...]) -> None:
    outcome = invoke("evaluate", model, *scene_arguments, "--split", "exam")
    assert (outcome.code, outcome.out) == (1, "")
    assert "there is no split 'exam'" in outcome.err


def test_checkpoint_that_is_none(invoke: Callable, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "weights.pth.tar"
    torch.save({"weights": torch.zeros(3)}, path)
    outcome = invoke("evaluate", path, *scene_arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert "is no checkpoint of the published code" in outcome.err


@pytest.mark.realdata
def test_published_checkpoint(invoke: Callable, data_root: Path) -> None:
    outcome = invoke(
        *("evaluate", data_root / "golden" / "mvor_s1_best.pth.tar", "--dataset", "mvor", "--root", data_root / "mvor"),
        *("--protocol", "both", "--json"),
    )
    assert outcome.code == 0
    assert outcome.err.startswith("selfmva: warning: ")
    assert outcome.err.count("\n") == 1
    assert outcome.json()["scores"]["self-mva"]["average_precision"] > 0.8
