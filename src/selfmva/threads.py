"""How many CPU threads torch uses, for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let torch use `count` CPU threads inside the block, and as many as before after it.

    Steps and frames are small. On a machine with other work, threads that wait for each other cost ten times what
    they save.

    Args:
        count: At least 1.

    Example:
        >>> with limited_threads(1):
        ...     torch.get_num_threads()
        1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
