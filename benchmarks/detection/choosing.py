"""Cross-validation over datasets of the choice among variants.

The best of many variants on some files is better on these than elsewhere. Here the choice is made
without one dataset at a time, and evaluated on that one (Stone 1974, "Cross-validatory choice and
assessment of statistical predictions", JRSS B 36).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.summary import Results
from rvae.errors import require

__all__ = ["Choice", "choices"]


@dataclass(frozen=True)
class Choice:
    """A choice without one dataset.

    Attributes:
        dataset: The dataset left out.
        files: Number of its files.
        method: Method with the best mean on the files of all other datasets.
        mean: Mean of this method on the dataset left out.
    """

    dataset: str
    files: int
    method: str
    mean: float


def choices(results: Results, methods: Sequence[str]) -> list[Choice]:
    """Leave out one dataset after another.

    Args:
        results: Results of a set with at least two datasets.
        methods: Methods to choose from; in a tie, the first one.

    Raises:
        FieldError: If a method has no results, or there is only one dataset.
    """
    found = np.stack([results.of(method) for method in methods])  # (M, F)
    datasets = results.files_by_dataset
    require(len(datasets) > 1, "--choose", f"needs two datasets, {results.set} has {len(datasets)}")
    made = []
    for dataset, left_out in datasets.items():
        others = np.delete(found, left_out, axis=1)
        best = int(others.mean(axis=1).argmax())
        made.append(
            Choice(dataset, len(left_out), methods[best], float(found[best, left_out].mean()))
        )
    return made
