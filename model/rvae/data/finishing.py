"""What is done with all series that were read: checks of values, holes and grids of times."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rvae.data.grid import on_grid
from rvae.data.holes import cut_at_holes
from rvae.data.series import Dataset, Series
from rvae.data.stored import blocks
from rvae.data.time_steps import time_steps
from rvae.errors import FieldError, require

__all__ = ["finish"]


def finish(dataset: Dataset, name: str) -> Dataset:
    """Check what a reader has read, and apply `reader.every` or `reader.holes` to its times.

    Without a grid, the pieces of a series that is cut follow each other and make up the whole.

    Args:
        dataset: Series as they are in the file.
        name: Name of the file in messages.

    Raises:
        FieldError: If there is no series or an empty one, a value is infinite, times do not rise or
            have no usual step.
    """
    source = dataset.source
    require(len(dataset.series) > 0, "data", f"{name} holds no series")
    require(
        not source.normal or dataset.series[0].classes is not None,
        "reader.normal",
        "needs classes: name them with reader.classes",
    )
    for series in dataset.series:
        require(len(series) > 0, "data", f"series {series.name} of {name} is empty")
        _require_finite(series, dataset.channels)
    # What has no columns leaves none out.
    dataset = replace(dataset, source=replace(source, ignore=source.ignore or ()))
    if source.time is None:
        return dataset
    steps = [time_steps(series) for series in dataset.series]
    if source.every is not None:
        return on_grid(dataset, source.every, steps)
    return cut_at_holes(dataset, steps) if source.holes == "split" else dataset


def _require_finite(series: Series, channels: Sequence[str]) -> None:
    passed = 0
    for block in blocks(series.values):
        infinite = np.isinf(block)
        if infinite.any():
            step, channel = np.argwhere(infinite)[0]
            raise FieldError(
                channels[channel], f"infinite at step {passed + step} of series {series.name}"
            )
        passed += len(block)
