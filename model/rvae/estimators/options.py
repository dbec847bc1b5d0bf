"""Options of a training from mappings with the sections of a configuration file."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from rvae.config import ReaderConfig, TrainingPlan
from rvae.config.sections import make_section
from rvae.errors import FieldError, require

__all__ = ["Options", "merge", "parse_options", "read_options"]

Options = Mapping[str, Any]

SECTIONS = (*(field.name for field in fields(TrainingPlan)), "reader")


def parse_options(sections: Options) -> tuple[TrainingPlan, ReaderConfig]:
    """The options of a training.

    Args:
        sections: "data", "reader", "model", "objective", "scoring" and "training", each with its
            options, in any number of levels.

    Raises:
        FieldError: If an option is unknown, or its value is not valid.
    """
    for name, content in sections.items():
        require(name in SECTIONS, "options", f"{name!r} is none of {', '.join(SECTIONS)}")
        require(isinstance(content, Mapping), name, f"must be a mapping, got {content!r}")
    plan = dict(sections)
    reader = make_section(ReaderConfig, plan.pop("reader", {}), "reader")
    return make_section(TrainingPlan, plan, ""), reader


def read_options(path: str | Path) -> dict[str, Any]:
    """The sections of a configuration file of `rvae fit`.

    Raises:
        FieldError: If there is no such file, or it is not a mapping in YAML.
    """
    path = Path(path).expanduser()
    require(path.is_file(), "config", f"no such file: {path}")
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FieldError("config", f"{path} is not YAML: {error}") from None
    require(isinstance(content, dict), "config", f"{path} must hold sections such as data, model")
    return content


def merge(options: Options, overrides: Options) -> dict[str, Any]:
    """Options with others in place of those of the same name, on every level."""
    merged = dict(options)
    for name, value in overrides.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge(merged[name], value) if both else value
    return merged
