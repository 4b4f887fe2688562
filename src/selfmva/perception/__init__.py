"""One pass over a recording: what its cameras saw becomes frames."""

from selfmva.perception.observe import observe

__all__ = ["observe"]
