"""Hyper-parameters as a user gives and changes them."""

from __future__ import annotations

from typing import Any

from selfmva.core.config import RECIPES, AssociatorConfig, Stage, build
from selfmva.errors import ConfigError

CHANGED_WITHOUT_FIT = frozenset({"association", "threads", "on_bad_box"})  # what waits for no fit


def read_parameters(values: dict[str, Any]) -> AssociatorConfig:
    """Validate hyper-parameters.

    Args:
        values: By name; a stage may be a model, a dictionary of its fields, or the name of a recipe or of an encoder of
            appearance. None stands for the defaults of a stage.

    Returns:
        The config.

    Raises:
        ConfigError: One is unknown, of the wrong type or out of range.

    Example:
        >>> read_parameters({"recipe": "geometry", "appearance": "osnet-ain"}).appearance.encoder
        'osnet-ain'
    """
    return build(
        AssociatorConfig, {name: _as_stage(name, value) for name, value in values.items() if value is not None}
    )


def change_parameters(config: AssociatorConfig, changes: dict[str, Any]) -> AssociatorConfig:
    """Change hyper-parameters.

    Args:
        config: As they are.
        changes: By name; of a stage that is given as a dictionary, other fields stay as they are. A recipe of another
            name is a new one.

    Returns:
        The new config.

    Raises:
        ConfigError: One is unknown, of the wrong type or out of range.

    Example:
        >>> config = read_parameters({"recipe": {"name": "batch", "steps": 7, "instants": 8}})
        >>> recipe = change_parameters(config, {"recipe": {"steps": 9}}).recipe
        >>> recipe.steps, recipe.instants
        (9, 8)
    """
    known = AssociatorConfig.model_fields.keys()
    unknown = sorted(changes.keys() - known)
    if unknown:
        raise ConfigError(f"{unknown[0]} is unknown; known are {', '.join(sorted(known))}")
    now = {name: getattr(config, name) for name in known}
    return read_parameters(now | {name: _merged(now[name], value) for name, value in changes.items()})


def hold_at_once(learnt: AssociatorConfig, config: AssociatorConfig) -> AssociatorConfig:
    """What a model was learnt with, and of a config what waits for no fit."""
    return learnt.model_copy(update={name: getattr(config, name) for name in CHANGED_WITHOUT_FIT})


def waiting_parameters(learnt: AssociatorConfig, config: AssociatorConfig) -> list[str]:
    """Names of hyper-parameters that a model was not learnt with: they wait for the next fit."""
    return [name for name in AssociatorConfig.model_fields if getattr(config, name) != getattr(learnt, name)]


def _as_stage(name: str, value: Any) -> Any:
    """A name alone stands for the stage that it names."""
    if name == "recipe" and isinstance(value, str):
        if value not in RECIPES:
            raise ConfigError(f"recipe must be one of {', '.join(map(repr, RECIPES))}, got {value!r}")
        return RECIPES[value]()
    return {"encoder": value} if name == "appearance" and isinstance(value, str) else value


def _merged(now: Any, value: Any) -> Any:
    if not isinstance(now, Stage) or not isinstance(value, dict):
        return value
    own = getattr(now, "name", None)
    if value.get("name", own) != own:
        return value
    return {field: getattr(now, field) for field in type(now).model_fields} | now.with_current_names(value)
