"""Run methods × files × seeds in parallel, resuming an earlier run."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.detection.files import LabelledSeries, files_of, read_file
from benchmarks.detection.methods import METHODS
from benchmarks.detection.records import Record, Task, append, read_records
from benchmarks.detection.windows import Fit
from rvae.data.period import period
from rvae.errors import require
from rvae.evaluation.point_metrics import point_detection

__all__ = ["METRICS", "measured", "run"]

METRICS = ("vus_pr", "vus_roc", "auc_pr", "auc_roc", "event_f1")

# Environment variables with the number of threads of libraries.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run(
    data: Path,
    output: Path,
    sets: Sequence[str],
    methods: Sequence[str],
    seeds: Sequence[int],
    jobs: int,
) -> list[Record]:
    """Run all tasks that are not in the results yet, or failed, and write each result at once.

    Args:
        data: Folder that holds the sets.
        output: Folder for the results.
        sets: Names of folders in `data`.
        methods: Names from `METHODS`.
        seeds: Seeds with which each method is fitted.
        jobs: Processes of one thread each.

    Returns:
        The new records.

    Raises:
        FieldError: If a method or a set is unknown, or the name of a file is not valid.
    """
    for name in methods:
        require(name in METHODS, "--methods", f"{name!r} is none of {', '.join(METHODS)}")
    require(jobs >= 1, "--jobs", "must be at least 1")
    output.mkdir(parents=True, exist_ok=True)
    done = {record.task for record in read_records(output) if record.error is None}
    tasks = [
        Task(method, name, path.name, seed)
        for method in methods
        for name in sets
        for path in files_of(data, name)
        for seed in seeds
    ]
    tasks = [task for task in dict.fromkeys(tasks) if task not in done]
    # New processes read them; this one has its threads already.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,))
    bar = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    records = []
    try:
        with Progress(*bar) as progress:
            shown = progress.add_task("", total=len(tasks))
            futures = [pool.submit(_record, task, data) for task in tasks]
            for future in as_completed(futures):
                record = future.result()
                append(output, record)
                records.append(record)
                progress.update(shown, advance=1, description=record.task.method)
    finally:
        pool.shutdown(cancel_futures=True)
    return records


def measured(fit: Fit, series: LabelledSeries, seed: int) -> dict[str, float]:
    """Fit a method to the training prefix, score the whole series and compare with the labels.

    The method gets a copy of the prefix, without access to the rest.

    Raises:
        FieldError: If the scores are not one finite number per point, or the method fails.
    """
    began = time.perf_counter()
    score = fit(series.values[: series.train].copy(), seed)
    fitted = time.perf_counter()
    scores = score(series.values.copy())
    scored = time.perf_counter()
    # The buffer of TSB-AD, which depends on the first channel of the whole series.
    worth = asdict(point_detection(series.labels, scores, period(series.values[:, 0])))
    return {
        "points": len(series.values),
        "channels": series.values.shape[1],
        "train": series.train,
        **{name: worth[name] for name in METRICS},
        "fit_seconds": fitted - began,
        "score_seconds": scored - fitted,
    }


def _record(task: Task, data: Path) -> Record:
    try:
        series = read_file(data / task.set / task.file)
        return Record(task, measured(METHODS[task.method], series, task.seed))
    except Exception as error:  # the failure of a method must not end the others
        return Record(task, {}, f"{type(error).__name__}: {error}")
