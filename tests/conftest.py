"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy is there, and for the processes that tests start: threads of BLAS that wait for each other take twice the
# time, and several tests run at once.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)  # steps are small: threads only wait for each other, and several tests run at once
settings.register_profile("selfmva", deadline=None)  # a busy machine is no failure
settings.load_profile("selfmva")

DATA_ROOT = Path(os.environ.get("SELFMVA_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests on real recordings where there are none."""
    if DATA_ROOT.is_dir():
        return
    skip = pytest.mark.skip(reason=f"no recordings at {DATA_ROOT}; set SELFMVA_DATA")
    for item in items:
        if "realdata" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real recordings; only for tests marked `realdata`."""
    return DATA_ROOT
