"""rvae as a method: its configuration for detection, and the changes of its variants."""

import logging
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jsonargparse import ArgumentError, ArgumentParser
from numpy.typing import NDArray

from benchmarks.detection.windows import Fit, Score
from rvae.config import ReaderConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.errors import FieldError, require
from rvae.inference.engine import Engine
from rvae.training.fit import fit

__all__ = ["VARIANTS", "trained", "variant"]

CONFIG = Path(__file__).parents[2] / "configs" / "detection.yaml"

# Sections that the benchmark itself sets.
NOT_OURS = ("reader", "output")

# Number of windows that cover a point: more would add little, as neighbours are nearly the same.
WINDOWS_PER_POINT = 16

# There is no file.
UNASKED = {"data": {"path": ""}}

VARIANTS: dict[str, dict[str, Any]] = {
    "rvae": {},
    "rvae_dense": {"model": {"architecture": "dense"}},
    "rvae_linear": {"model": {"architecture": "dense", "dense": {"layers": []}}},
    "rvae_untrained": {"training": {"epochs": 1, "learning_rate": 1e-12}},
    "rvae_without_linear": {"model": {"linear": False}, "training": {"learning_rate": 0.003}},
    "rvae_without_memory": {"scoring": {"memory": 0}},
    "rvae_without_instances": {"model": {"normalization": "none"}},
    "rvae_likelihood": {"scoring": {"score": "likelihood"}},
    "rvae_window_64": {"data": {"window": 64}},
}


def variant(overrides: Mapping[str, Any], config: Path = CONFIG) -> Fit:
    """The library with the options of a file, and some overrides.

    Args:
        overrides: Options by section and name.
        config: A configuration of `rvae fit`.
    """

    def fitted(prefix: NDArray[np.float64], seed: int) -> Score:
        engine = trained(prefix, overrides, seed, config)
        stride = max(1, engine.card.window // WINDOWS_PER_POINT)
        return lambda values: engine.analyse([values], stride)[0].point_scores

    return fitted


def trained(
    prefix: NDArray[np.float64], overrides: Mapping[str, Any], seed: int, config: Path = CONFIG
) -> Engine:
    """A model of normal values (n, C), with options as in `variant`."""
    plan = _plan(config, overrides, seed)
    # Lightning logs its devices and every seed, for each of the files.
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    channels = tuple(f"channel {i + 1}" for i in range(prefix.shape[1]))
    dataset = Dataset([Series(prefix, "prefix")], channels, ReaderConfig())
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        outcome = fit(dataset, plan, Path(folder), progress=False)
        return Engine.load(outcome.checkpoint)


def _plan(config: Path, overrides: Mapping[str, Any], seed: int) -> TrainingPlan:
    """The plan of a configuration file, with overrides.

    Raises:
        FieldError: If the file is missing, or an option is unknown or wrong.
    """
    require(config.is_file(), config.name, f"is missing: it belongs in {config.parent.name}/")
    content = yaml.safe_load(config.read_text()) or {}
    own = {name: section for name, section in content.items() if name not in NOT_OURS}
    own = _merged(_merged(_merged(own, UNASKED), overrides), {"training": {"seed": seed}})
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(TrainingPlan)
    try:
        return TrainingPlan(**vars(parser.instantiate(parser.parse_object(own))))
    except ArgumentError as error:
        raise FieldError(config.name, " ".join(str(error).split())) from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two trees of options; the second one takes precedence."""
    merged = dict(below)
    for name, value in above.items():
        deeper = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if deeper else value
    return merged
