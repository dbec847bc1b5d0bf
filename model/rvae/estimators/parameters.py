"""Parameters of the estimator ⇄ sections of a configuration."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from numbers import Integral, Real
from typing import Any

from rvae.config import (
    ModelConfig,
    ObjectiveConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.config.sections import make_section
from rvae.data.series import Dataset
from rvae.data.windows import split
from rvae.errors import require
from rvae.inference.card import Card

__all__ = ["model_parameters", "training_plan"]

# Of the automatic choice.
MAX_QUANTILE = 0.99

SECTIONS: Mapping[str, type[Any]] = {
    "model": ModelConfig,
    "objective": ObjectiveConfig,
    "scoring": ScoringConfig,
    "training": TrainingConfig,
}
# Section and option of each parameter that is an option.
OPTIONS = {
    "architecture": ("model", "architecture"),
    "latent": ("model", "latent"),
    "likelihood": ("model", "likelihood"),
    "beta": ("objective", "beta"),
    "epochs": ("training", "epochs"),
    "batch_size": ("training", "batch_size"),
    "learning_rate": ("training", "learning_rate"),
    "accelerator": ("training", "accelerator"),
    "quantile": ("training", "quantile"),
    "random_state": ("training", "seed"),
}
# Names of `hidden` and `depth` in the section of an architecture; dense layers are one option.
SIZES = {
    "recurrent": ("hidden", "depth"),
    "convolutional": ("filters", "blocks"),
    "dense": ("layers", "layers"),
}
DENSE_HIDDEN, DENSE_DEPTH = 128, 2


def training_plan(
    parameters: Mapping[str, Any], dataset: Dataset, window: int, seed: int
) -> TrainingPlan:
    """The configuration of a training.

    Args:
        parameters: Parameters of the estimator by name.
        dataset: One series per window.
        window: Time steps T.
        seed: Seed of the training.

    Raises:
        FieldError: If a parameter or an option is not valid.
    """
    # Each part has at least one window, however few there are.
    least = 1 / len(dataset.series)
    shares = {name: max(_number(parameters, name), least) for name in ("validation", "calibration")}
    decided = {**parameters, "random_state": seed}
    automatic = parameters["quantile"] == "auto"
    if automatic:
        decided["quantile"] = MAX_QUANTILE
    options: dict[str, Any] = {name: _options(name, decided) for name in SECTIONS}
    data = {"path": "", "window": window, "split": "random", "constant": "keep"} | shares
    plan = make_section(TrainingPlan, options | {"data": data}, "")
    if not automatic:
        return plan
    held_out = (
        len(split(dataset.series, plan.data, window, seed).calibration)
        if plan.training.folds == 1
        else len(dataset.series)
    )
    normal = held_out - round(plan.scoring.contamination * held_out)
    quantile = min(MAX_QUANTILE, normal / (normal + 1))
    return replace(plan, training=replace(plan.training, quantile=quantile))


def model_parameters(card: Card) -> dict[str, Any]:
    """The parameters with which an estimator is trained like this model."""
    content = {
        "model": asdict(card.model),
        "objective": dict(card.training["objective"]),
        "scoring": asdict(card.scoring),
        "training": dict(card.training["options"]),
    }
    parameters = {name: content[section].pop(option) for name, (section, option) in OPTIONS.items()}
    changed = {name: _changed(content[name], asdict(kind())) for name, kind in SECTIONS.items()}
    return parameters | {name: options or None for name, options in changed.items()}


def _options(section: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a section, from the parameter of its name and from those with one option each."""
    given = parameters[section]
    require(
        given is None or isinstance(given, Mapping),
        section,
        f"must map options to values, got {given!r}",
    )
    options = dict(given or {})
    for name, (home, option) in OPTIONS.items():
        if home == section:
            require(option not in options, f"{section}.{option}", f"is the parameter {name!r}")
            options[option] = parameters[name]
    return _with_sizes(options, parameters) if section == "model" else options


def _with_sizes(options: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the model, with width and number of layers where the architecture has them."""
    architecture = options["architecture"]
    hidden, depth = parameters["hidden"], parameters["depth"]
    if hidden is None and depth is None:
        return options
    require(
        architecture in SIZES,
        "hidden" if hidden is not None else "depth",
        f"is only valid for {', '.join(SIZES)}: set model={{'options': …}} for {architecture!r}",
    )
    sizes: dict[str, Any] = {
        option: value
        for option, value in zip(SIZES[architecture], (hidden, depth), strict=True)
        if value is not None
    }
    if architecture == "dense":
        require(depth is None or isinstance(depth, Integral), "depth", f"must be whole: {depth!r}")
        width = DENSE_HIDDEN if hidden is None else hidden
        sizes = {"layers": (width,) * (DENSE_DEPTH if depth is None else depth)}
    inner = options.get(architecture, {})
    for option in sizes:
        require(
            option not in inner,
            f"model.{architecture}.{option}",
            "is set by the parameters hidden and depth",
        )
    return options | {architecture: {**inner, **sizes}}


def _number(parameters: Mapping[str, Any], name: str) -> float:
    value = parameters[name]
    require(isinstance(value, Real), name, f"must be a number, got {value!r}")
    return float(value)


def _changed(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that differ from the defaults."""
    changed: dict[str, Any] = {}
    for name, value in options.items():
        default = defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            value = _changed(value, default)
            default = {}
        if value != default:
            changed[name] = value
    return changed
