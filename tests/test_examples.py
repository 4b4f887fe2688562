"""The examples run as they are written."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_own_boxes():
    printed = run("own_boxes.py", "5")  # the floor needs no training
    assert "3 of 3 views are on one floor, 3 of 3 view pairs are trusted" in printed
    assert "saved, loaded, the same: True" in printed


@pytest.mark.slow
@pytest.mark.realdata
def test_evaluate_mvor(data_root):
    printed = run("evaluate_mvor.py", str(data_root / "mvor"))
    assert printed.count("AP 0.") == 4
