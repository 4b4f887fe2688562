"""Which boxes of several fixed cameras are the same person, learnt without labels and without calibration."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from selfmva._version import __version__

if TYPE_CHECKING:
    from selfmva.association.association import Association
    from selfmva.association.associator import Associator
    from selfmva.association.health.health import Health
    from selfmva.association.tracker import Tracker
    from selfmva.association.tracks import Tracks
    from selfmva.core.types import Frame, View
    from selfmva.datasets import check_adapter, list_datasets, load_dataset
    from selfmva.errors import NotFittedError, SelfMVAError
    from selfmva.metrics import evaluate

_HOME = {
    "Association": "selfmva.association.association",
    "Associator": "selfmva.association.associator",
    "Frame": "selfmva.core.types",
    "Health": "selfmva.association.health.health",
    "NotFittedError": "selfmva.errors",
    "SelfMVAError": "selfmva.errors",
    "Tracker": "selfmva.association.tracker",
    "Tracks": "selfmva.association.tracks",
    "View": "selfmva.core.types",
    "check_adapter": "selfmva.datasets",
    "evaluate": "selfmva.metrics",
    "list_datasets": "selfmva.datasets",
    "load_dataset": "selfmva.datasets",
}

__all__ = [
    "Association",
    "Associator",
    "Frame",
    "Health",
    "NotFittedError",
    "SelfMVAError",
    "Tracker",
    "Tracks",
    "View",
    "__version__",
    "check_adapter",
    "evaluate",
    "list_datasets",
    "load_dataset",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import selfmva` itself loads nothing heavy."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'selfmva' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
