"""Preparation of series for training: splits, vocabulary, scaler and windows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version

import numpy as np

from rvae.config import TrainingConfig, TrainingPlan
from rvae.config.alarms import alarm_rate
from rvae.data.categories import restrict_to_training
from rvae.data.default_window import default_window
from rvae.data.folds import leave_out
from rvae.data.scaler import Scaler, summarize
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.data.window_dataset import WindowDataset
from rvae.data.windows import Splits, split
from rvae.errors import require
from rvae.inference.building import network_of
from rvae.inference.card import ModelSpec
from rvae.inference.software import software_versions
from rvae.networks.choices import takes_unit_interval
from rvae.training.outliers import drop_outliers
from rvae.training.preflight import (
    require_compatible,
    require_machine,
    require_units,
    require_valid_choices,
)

__all__ = ["Preparation", "prepare"]

# Share of training windows that are masked if the training part has missing values.
MASKED_SHARE_WITH_GAPS = 0.5


@dataclass(frozen=True)
class Preparation:
    """Inputs of a training.

    Attributes:
        spec: Everything about the model that is fixed before training.
        training: The options, with defaults that depend on the data filled in.
        windows: Windows of each split, by its name.
        steps: Training steps per epoch.
        drop_last: Whether the last batch of an epoch is left out, because it has only one window.
        folds: Inputs of the trainings without one of the folds, whose windows are the calibration
            part; empty if the data has a calibration part.
    """

    spec: ModelSpec
    training: TrainingConfig
    windows: Mapping[str, WindowDataset]
    steps: int
    drop_last: bool
    folds: Sequence["Preparation"] = ()


def prepare(dataset: Dataset, plan: TrainingPlan) -> Preparation:
    """Split the data, and fit vocabulary and scaler to the training part.

    Raises:
        FieldError: If the data or the options are not valid, or not supported by the machine.
    """
    require_valid_choices(plan)
    require_machine(plan.training)
    require_compatible(dataset, plan.model, plan.scoring)
    require_units(dataset, plan.data)
    seed, folds = plan.training.seed, plan.training.folds
    window = plan.data.window or default_window(dataset, plan.data, seed, folds)
    series, splits, vocabulary = _splits(dataset, plan, window)
    left_out = leave_out(series, plan.data, window, seed, folds) if folds > 1 else []
    spec, training = _describe(dataset, plan, window, splits, vocabulary)
    # Before the training, not after it.
    if training.alarms is not None:
        alarm_rate(training.alarms, spec.interval, max(window, spec.stride), "training.alarms")
    whole = _prepared(spec, training, splits)
    without = [_prepared(_rescaled(spec, part), training, part) for part in left_out]
    counts = {name: len(part) for name, part in whole.windows.items()}
    if without:
        counts["calibration"] = sum(len(fold.windows["calibration"]) for fold in without)
    else:
        require(
            whole.windows["calibration"].count_observed(1) > 0,
            "data.calibration",
            "leaves a part in which no window has a value: give more data, or a larger share",
        )
    content = {
        "windows": counts,
        "objective": asdict(plan.objective),
        "options": asdict(training),
    }
    return replace(whole, spec=replace(spec, training=content), folds=without)


def _prepared(spec: ModelSpec, training: TrainingConfig, splits: Splits) -> Preparation:
    # The scaler has checked the training part; errors in the other parts must not come later.
    for series in (*splits.validation, *splits.calibration):
        spec.require_in_bounds(series)
    windows = _windows(spec, splits)
    steps, rest = _steps(windows, training)
    # A batch of one window has no spread for batch normalization, and a noisy gradient. Shuffling
    # leaves out another window each time.
    return Preparation(spec, training, windows, steps, rest == 1)


def _splits(
    dataset: Dataset, plan: TrainingPlan, window: int
) -> tuple[list[Series], Splits, Vocabulary]:
    """The series with categories numbered by the vocabulary of the training part, and splits."""

    def parts(series: Sequence[Series]) -> Splits:
        return split(series, plan.data, window, plan.training.seed, plan.training.folds == 1)

    training = parts(dataset.series).training
    vocabulary, renumber = restrict_to_training(training, dataset.channels, dataset.vocabulary)
    if plan.model.conditional:
        _require_classes(training, vocabulary)
    series = renumber(dataset.series)
    return series, parts(series), vocabulary


def _describe(
    dataset: Dataset, plan: TrainingPlan, window: int, splits: Splits, vocabulary: Vocabulary
) -> tuple[ModelSpec, TrainingConfig]:
    """The specification of the model, and the options with defaults from the data filled in."""
    summary = summarize(splits.training)
    scaler = Scaler.fit(
        summary,
        dataset.channels,
        vocabulary.sizes(dataset.channels),
        unit_interval=takes_unit_interval(plan.model),
        keep_constant=plan.data.constant == "keep",
    )
    training = plan.training
    if training.hide is None:
        training = replace(training, hide=MASKED_SHARE_WITH_GAPS if summary.gaps else 0.0)
    spec = ModelSpec(
        model=plan.model,
        channels=dataset.channels,
        units=plan.data.units or {},
        vocabulary=vocabulary,
        window=window,
        stride=plan.data.stride,
        reader=dataset.source,
        scaler=scaler,
        interval=_interval(splits.training[0]),
        training={},
        scoring=plan.scoring,
        versions=software_versions() | {"pytorch-lightning": version("pytorch-lightning")},
    )
    return spec, training


def _rescaled(spec: ModelSpec, splits: Splits) -> ModelSpec:
    """The specification with a scaler that is fitted to another training part.

    A channel that does not vary there, or is missing, is kept in its own unit, like one that does
    not vary in all of the data if that is asked for.
    """
    scaler = Scaler.fit(
        summarize(splits.training),
        spec.channels,
        spec.scaler.categories,
        spec.scaler.unit_interval,
        keep_constant=True,
        keep_unobserved=True,
    )
    return replace(spec, scaler=scaler)


def _windows(spec: ModelSpec, splits: Splits) -> dict[str, WindowDataset]:
    """Windows of each split; outliers of the training part are removed if configured."""
    windows = {
        part.name: WindowDataset(
            getattr(splits, part.name),
            spec.scaler,
            spec.window,
            spec.stride,
            spec.model.time.calendar,
        )
        for part in fields(Splits)
        if getattr(splits, part.name)
    }
    if spec.scoring.contamination:
        windows["training"] = drop_outliers(
            windows["training"], network_of(spec), spec.scoring.contamination
        )
    return windows


def _steps(windows: Mapping[str, WindowDataset], training: TrainingConfig) -> tuple[int, int]:
    """Steps per epoch with full batches, and the number of windows left over.

    Raises:
        FieldError: If there are not enough windows for each process.
    """
    share = math.ceil(len(windows["training"]) / training.processes)
    for part, enough in (
        ("training", share > 1),
        ("validation", len(windows["validation"]) >= training.processes),
    ):
        who = f" for {training.processes} processes" if training.processes > 1 else ""
        require(enough, "data", f"the {part} part has too few windows{who}: {len(windows[part])}")
    full, rest = divmod(share, training.batch_size)
    return full + (rest > 1), rest


def _require_classes(training: Sequence[Series], vocabulary: Vocabulary) -> None:
    """Raise a `FieldError` if the training part lacks a class that requests may name."""
    present = {
        index for s in training for piece in s.pieces() for index in np.unique(piece.class_codes)
    }
    for index, name in enumerate(vocabulary.classes):
        require(index in present, "reader.classes", f"{name} is nowhere in the training part")


def _interval(series: Series) -> float | None:
    """Median seconds between the first steps of a series, if it has times."""
    if series.times is None:
        return None
    times = next(series.pieces()).clock()
    return float(np.median(np.diff(times)) / np.timedelta64(1, "s"))
