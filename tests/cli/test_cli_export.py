"""`selfmva export`: an ONNX file from a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest

from selfmva import Associator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selfmva.datasets.simulated import Simulated


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_written(invoke: Callable, model: Path, scene: Simulated, tmp_path: Path, as_json: bool) -> None:
    file = tmp_path / "new" / "encoder.onnx"
    outcome = invoke("export", model, file, *(["--json"] if as_json else []))
    assert (outcome.code, outcome.err) == (0, "")
    views = [{"name": view.name, "width": view.width, "height": view.height} for view in scene.views]
    if as_json:
        written = {"model": str(model), "out": str(file), "bytes": file.stat().st_size, "views": views}
        assert outcome.json() == written
    else:
        assert outcome.out.splitlines() == [
            "boxes (N, 4) float32 and view (N,) int64 -> embeddings (N, 768) float32",
            *(f"view {number}: {v['name']} {v['width']} x {v['height']}" for number, v in enumerate(views)),
            f"saved to {file}",
        ]
    session, associator, frame = onnxruntime.InferenceSession(file), Associator.from_pretrained(model), scene.frame(5)
    for view, boxes in enumerate(frame.boxes):
        inputs = {"boxes": boxes.astype(np.float32), "view": np.full(len(boxes), view)}
        np.testing.assert_allclose(session.run(None, inputs)[0], associator.embed(view, boxes), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nomodel", "x.onnx"], 1, "nomodel"),
        (["nomodel", "x.pt"], 2, "expected a file that ends in .onnx, got 'x.pt'"),
        (["nomodel"], 2, "required: FILE"),
        (
            ["best.pth.tar", "x.onnx"],
            1,
            "make a model of it with `selfmva convert best.pth.tar --views ... --out FOLDER`",
        ),
    ],
)
def test_errors(
    invoke: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = invoke("export", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
