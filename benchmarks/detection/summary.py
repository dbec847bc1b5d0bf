"""Summary of the records of single files by method."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.files import dataset_of
from benchmarks.detection.records import Record
from rvae.errors import FieldError, require

__all__ = ["RANKED_BY", "Difference", "Results", "best_published", "difference", "results_by_set"]

# TSB-AD ranks by it.
RANKED_BY = "vus_pr"

DRAWS = 10_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Results:
    """Results of methods on the files of a set that all of them have completed.

    Attributes:
        set: Name of the set.
        methods: M names.
        files: F names.
        figures: Figures of each method and file (M, F), the mean over seeds, by name.
        lacking: Number of files that a method lacks and others have, by method, if any.
    """

    set: str
    methods: tuple[str, ...]
    files: tuple[str, ...]
    figures: dict[str, NDArray[np.float64]]
    lacking: dict[str, int]

    def of(self, method: str, figure: str = RANKED_BY) -> NDArray[np.float64]:
        """A figure of a method on each file (F,).

        Raises:
            FieldError: If the method has no results in this set.
        """
        if method not in self.methods:
            raise FieldError(method, f"has no results in {self.set}: {', '.join(self.methods)} do")
        return self.figures[figure][self.methods.index(method)]

    @property
    def files_by_dataset(self) -> dict[str, NDArray[np.int64]]:
        """Indices of the files of each dataset."""
        datasets = np.array([dataset_of(file) for file in self.files])
        return {str(name): np.flatnonzero(datasets == name) for name in np.unique(datasets)}


@dataclass(frozen=True)
class Difference:
    """Comparison of a method with another on the same files.

    Attributes:
        mean: Mean of the differences; positive if it is better.
        low: Lower end of the 95 % interval of the mean.
        high: Upper end of it.
        wins: Files on which it is better.
        losses: Files on which it is worse.
    """

    mean: float
    low: float
    high: float
    wins: int
    losses: int


def results_by_set(records: Sequence[Record], methods: Sequence[str] | None) -> list[Results]:
    """Collect the records that did not fail, by set.

    Args:
        records: Records in any order.
        methods: Methods to include; all of them if None.

    Raises:
        FieldError: If there are none, or no file of a set was completed by all methods.
    """
    sets: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.error is None and (methods is None or record.task.method in methods):
            sets[record.task.set].append(record)
    require(bool(sets), "--output", "has no results of these methods: run them first")
    return [_results(name, sets[name]) for name in sorted(sets)]


def _results(name: str, records: Iterable[Record]) -> Results:
    seeds: dict[str, dict[str, list[Mapping[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        seeds[record.task.method][record.task.file].append(record.figures)
    methods = tuple(sorted(seeds))
    some = set().union(*seeds.values())
    files = tuple(sorted(file for file in some if all(file in seeds[m] for m in methods)))
    require(bool(files), "--methods", f"no file of {name} was done by all of {', '.join(methods)}")
    any_figures = seeds[methods[0]][files[0]][0]
    figures = {
        figure: np.array(
            [[np.mean([run[figure] for run in seeds[m][file]]) for file in files] for m in methods]
        )
        for figure in any_figures
    }
    lacking = {m: len(some) - len(seeds[m]) for m in methods if len(seeds[m]) < len(some)}
    return Results(name, methods, files, figures, lacking)


def difference(theirs: NDArray[np.float64], reference: NDArray[np.float64]) -> Difference:
    """Compare figures on the same files (F,), higher is better.

    The interval is the percentile bootstrap's over files (Efron and Tibshirani 1993, "An
    introduction to the bootstrap", chapter 13).
    """
    differences = theirs - reference
    random = np.random.default_rng(0)
    drawn = random.integers(len(differences), size=(DRAWS, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), INTERVAL)
    return Difference(
        float(differences.mean()),
        float(low),
        float(high),
        int((differences > 0).sum()),
        int((differences < 0).sum()),
    )


def best_published(published: Path, results: Results, count: int) -> dict[str, float]:
    """Mean published VUS-PR over exactly the files of some results, of the best methods.

    Args:
        published: Folder that holds SET-published-vus-pr.csv, with the columns file and one for
            each method.
        results: Results with the files to look up.
        count: Number of methods.

    Raises:
        FieldError: If the table or one of the files in it is missing.
    """
    path = published / f"{results.set}-published-vus-pr.csv"
    require(path.is_file(), "--published", f"has no file {path.name}")
    with path.open(newline="") as file:
        rows = {row.pop("file"): row for row in csv.DictReader(file)}
    missing = [file for file in results.files if file not in rows]
    require(not missing, path.name, f"lacks {len(missing)} of the files, as {missing[:1]}")
    chosen = [rows[file] for file in results.files]
    means = {name: float(np.mean([float(row[name]) for row in chosen])) for name in chosen[0]}
    best = sorted(means, key=means.__getitem__, reverse=True)[:count]
    return {name: means[name] for name in best}
