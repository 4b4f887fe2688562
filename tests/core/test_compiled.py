"""Compiled loops: what they compute, and that nothing breaks where there is no compiler."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from selfmva.core import compiled as module
from selfmva.core.compiled import abs_difference, compiled, is_available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNATURE = "f8(f8, f8)"


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Nothing is remembered of other tests, and nothing is left to them."""
    compiled.cache_clear()
    is_available.cache_clear()
    yield
    compiled.cache_clear()
    is_available.cache_clear()


@pytest.mark.skipif(not is_available(), reason="numba is not installed")
def test_it_computes_the_same() -> None:
    function = compiled(abs_difference, SIGNATURE)
    assert function is not None
    assert function is not abs_difference
    assert function(3.0, 5.5) == abs_difference(3.0, 5.5) == 2.5


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert not is_available()
    assert compiled(abs_difference, SIGNATURE) is None


@pytest.mark.parametrize("error", [RuntimeError("no locator available"), OSError("read-only")])
def test_without_a_folder_to_write_to(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bool] = []

    def compile_in_memory(_: object, function: Callable[..., Any], __: str, *, on_disk: bool) -> Callable[..., Any]:
        tried.append(on_disk)
        if on_disk:
            raise error
        return function

    monkeypatch.setattr(module, "is_available", lambda: True)
    monkeypatch.setattr(module, "import_module", lambda _: None)
    monkeypatch.setattr(module, "_compile", compile_in_memory)
    assert compiled(abs_difference, SIGNATURE) is abs_difference
    assert tried == [True, False]


def test_a_compiler_that_fails_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no such type")

    monkeypatch.setattr(module, "is_available", lambda: True)
    monkeypatch.setattr(module, "import_module", lambda _: None)
    monkeypatch.setattr(module, "_compile", fail)
    with caplog.at_level(logging.WARNING, logger=module.logger.name):
        assert compiled(abs_difference, SIGNATURE) is None
    assert "numba does not compile abs_difference, NumPy does its work" in caplog.text


@pytest.mark.skipif(not is_available(), reason="numba is not installed")
def test_numba_comes_with_the_first_loop_alone() -> None:
    code = (
        "import sys; from selfmva import Associator; from selfmva.association import streaming; "
        "assert 'numba' not in sys.modules; from selfmva.core.compiled import abs_difference, compiled; "
        f"assert compiled(abs_difference, {SIGNATURE!r})(1.0, 3.0) == 2.0; assert 'numba' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
    off = "from selfmva.core.compiled import is_available; assert not is_available()"
    subprocess.run([sys.executable, "-c", off], check=True, timeout=120, env={"NUMBA_DISABLE_JIT": "1", **_paths()})


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path), "PATH": ""}
