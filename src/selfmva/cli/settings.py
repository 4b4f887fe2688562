"""Hyper-parameters on the command line: listed and checked from the models in `selfmva.core.config`."""

from __future__ import annotations

import argparse
import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from selfmva.cli.arguments import key_and_value

if TYPE_CHECKING:
    from pydantic import BaseModel

_FLAGS = ("seed", "device", "precision")
_LIMITS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


class Setting(NamedTuple):
    """One hyper-parameter; its default is written as JSON."""

    key: str
    default: str
    allowed: str
    meaning: str


def add_setting_options(parser: argparse._ActionsContainer) -> None:
    """Add the options that choose hyper-parameters."""
    parser.add_argument("--recipe", metavar="NAME", default="auto", help="auto (default), batch, published or geometry")
    parser.add_argument("--seed", type=int, help="source of every random choice (default: 0)")
    parser.add_argument("--device", help="cpu (default), cuda, cuda:1, or auto")
    parser.add_argument("--precision", help="float32 (default) or bfloat16")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=key_and_value,
        action="append",
        default=[],
        help="any hyper-parameter, such as recipe.steps=500; may be repeated",
    )
    parser.add_argument("--help-config", action=_ListSettings, help="list all hyper-parameters with defaults and exit")


def read_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `Associator`, checked.

    Raises:
        ConfigError: A hyper-parameter is unknown, of the wrong type or out of range.
    """
    from selfmva.core.config import RECIPES, AssociatorConfig, build
    from selfmva.errors import ConfigError

    if args.recipe not in RECIPES:
        raise ConfigError(f"recipe must be one of {', '.join(RECIPES)}, got {args.recipe!r}")
    values: dict[str, Any] = {name: getattr(args, name) for name in _FLAGS if getattr(args, name) is not None}
    values["recipe"] = {"name": args.recipe}
    known = [setting.key for setting in list_settings(args.recipe)]
    for key, value in args.set:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f", did you mean {close[0]!r}?" if close else ";"
            raise ConfigError(
                f"recipe {args.recipe!r} has no hyper-parameter {key!r}{hint} `selfmva fit --help-config` lists them"
            )
        stage, _, name = key.rpartition(".")
        (values.setdefault(stage, {}) if stage else values)[name] = value
    config = build(AssociatorConfig, values)
    return {name: getattr(config, name) for name in AssociatorConfig.model_fields}


def list_settings(recipe: str) -> list[Setting]:
    """All hyper-parameters under a recipe, in the order of `selfmva.core.config`.

    Example:
        >>> [setting.default for setting in list_settings("batch") if setting.key == "recipe.temperature"]
        ['2.0']
    """
    from selfmva.core.config import (
        RECIPES,
        AppearanceConfig,
        AssociationConfig,
        AssociatorConfig,
        EncoderConfig,
        GeometryConfig,
    )

    stages: dict[str, type[BaseModel]] = {
        "": AssociatorConfig,
        "encoder.": EncoderConfig,
        "geometry.": GeometryConfig,
        "appearance.": AppearanceConfig,
        "association.": AssociationConfig,
        "recipe.": RECIPES[recipe],
    }
    settings = []
    for prefix, stage in stages.items():
        properties = stage.model_json_schema()["properties"]
        for name, field in stage.model_fields.items():
            if name != "name" and (prefix or f"{name}." not in stages):  # a recipe's name and the stages are no leaves
                allowed = " or ".join(map(_allowed, properties[name].get("anyOf", [properties[name]])))
                settings.append(Setting(prefix + name, json.dumps(field.default), allowed, field.description or ""))
    return settings


class _ListSettings(argparse.Action):
    """Print all hyper-parameters and exit."""

    def __init__(self, **options: Any) -> None:
        super().__init__(nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from selfmva.core.config import RECIPES

        common = [setting for setting in list_settings("batch") if not setting.key.startswith("recipe.")]
        sections = {"With every recipe": common}
        for recipe in RECIPES:
            own = [setting for setting in list_settings(recipe) if setting.key.startswith("recipe.")]
            sections[f"With --recipe {recipe}"] = own
        print("\n\n".join(map(_section, sections, sections.values())))
        parser.exit()


def _section(title: str, settings: list[Setting]) -> str:
    from tabulate import tabulate

    columns = ("KEY", "default", "allowed", "meaning")
    return f"{title}:\n{tabulate(settings, columns, maxcolwidths=[None, None, 24, 60], disable_numparse=True)}"


def _allowed(schema: dict[str, Any]) -> str:
    """What a field takes, in words, from its JSON schema."""
    if "enum" in schema:
        return " or ".join(schema["enum"])
    limits = ", ".join(f"{words} {schema[key]}" for key, words in _LIMITS.items() if key in schema)
    return f"{schema['type']} {limits}".strip()
