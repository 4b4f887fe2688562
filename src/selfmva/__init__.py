"""selfmva: which boxes of several fixed cameras are the same person, without labels and without calibration."""

from selfmva._version import __version__

__all__ = ["__version__"]
