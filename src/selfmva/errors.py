"""Every error that selfmva raises on purpose: what came, what was expected, what to do."""


class SelfMVAError(Exception):
    """Base of all errors raised on purpose by selfmva."""


class InputError(SelfMVAError, ValueError):
    """An argument has the wrong shape, range or type."""


class MissingInstantError(InputError, IndexError):
    """An instant was asked for that a recording does not have."""


class ConfigError(InputError):
    """A hyper-parameter is unknown, of the wrong type or out of its range."""


class DataError(SelfMVAError, ValueError):
    """A file is missing, damaged or not in the format that was expected."""


class CheckpointError(SelfMVAError, ValueError):
    """A checkpoint or a saved associator is damaged, of another architecture or of a newer format."""


class PluginError(SelfMVAError):
    """A plug-in could not be found, imported, or does not keep the contract."""


class MissingDependencyError(SelfMVAError, ImportError):
    """An optional dependency is needed for what was asked."""


class NotFittedError(SelfMVAError, ValueError, AttributeError):
    """Learnt state was asked for before anything was learnt."""


class UnknownAttributeError(SelfMVAError, AttributeError):
    """An associator has no attribute of that name."""


class OutOfRangeError(InputError, IndexError):
    """A recording has no such instant."""


class SelfMVAWarning(UserWarning):
    """Base of all warnings of selfmva."""


class UnalignedWarning(SelfMVAWarning):
    """Clocks of the cameras are apart, and frames come as the cameras gave them."""


class RigChangedWarning(SelfMVAWarning):
    """Boxes contradict what was learnt of their cameras."""


class BadBoxWarning(SelfMVAWarning):
    """Boxes that are none (without area, not finite, wholly outside their image) are left out."""


class BoxUnitsWarning(SelfMVAWarning):
    """Boxes look as if they were in other units than pixels of their views."""


class TrackIdsWarning(SelfMVAWarning):
    """Track ids are no tracks, and are ignored."""


class DuplicateIdentityWarning(SelfMVAWarning):
    """Labels have one person in two boxes of one view at one instant."""


class LearntNothingWarning(SelfMVAWarning):
    """fit() did no better than chance on instants that it had not seen."""


class GeometryMissingWarning(SelfMVAWarning):
    """fit() found no geometry, so that people are told apart by what they look like alone."""


class AppearanceMissingWarning(SelfMVAWarning):
    """Nothing is known of what the boxes look like, where appearance was learnt: geometry decides alone."""


def require(module: str, extra: str) -> None:
    """Raise a clear error where the optional `module` is not installed.

    Args:
        module: Name of the module to be imported next.
        extra: The extra of selfmva that installs it.

    Raises:
        MissingDependencyError: The module is not installed.

    Example:
        >>> require("json", "viz")
    """
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise MissingDependencyError(
            f"this needs the package {module!r}, which is not installed: run `pip install 'selfmva[{extra}]'`"
        )
