"""`import selfmva` is light and silent, and both ways to start the command line are one program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig

import pytest

import selfmva

HEAVY = {"torch", "cv2", "torchreid", "huggingface_hub", "matplotlib", "pandas", "scipy", "pydantic"}
LIST_MODULES = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def run(*command: str) -> str:
    """Standard output of a command that must succeed and write nothing to standard error."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stderr) == (0, ""), f"{command}: {result.stderr}"
    return result.stdout


def modules_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after a statement; a warning is an error."""
    return set(json.loads(run(sys.executable, "-W", "error", "-c", f"{statement}; {LIST_MODULES}")))


def test_import_is_light_and_silent() -> None:
    before, after = modules_after("pass"), modules_after("import selfmva")
    assert "selfmva" in after - before
    assert HEAVY & (after - before) == set()


def test_heavy_module_is_noticed() -> None:
    """The list of modules would be no proof if it missed an import."""
    assert "scipy" in modules_after("import scipy") - modules_after("pass")


def test_version_on_the_command_line() -> None:
    assert selfmva.__version__ in run(sys.executable, "-m", "selfmva", "--version").split()


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_command_and_module_are_one_program(option: str) -> None:
    script = shutil.which("selfmva", path=sysconfig.get_path("scripts"))
    assert script is not None, "the command `selfmva` is not installed beside this interpreter"
    assert run(script, option) == run(sys.executable, "-m", "selfmva", option)
