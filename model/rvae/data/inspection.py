"""What is in a file, and how it would be read: before any training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from rvae.config import DataConfig, ReaderConfig
from rvae.config.duration import duration_text, round_duration
from rvae.data.arrays import load_arrays
from rvae.data.column_guess import ColumnGuess, guess_roles
from rvae.data.csv_files import open_csv
from rvae.data.default_window import default_window
from rvae.data.excel import open_excel
from rvae.data.finishing import finish
from rvae.data.holes import cut_at_holes
from rvae.data.label_columns import has_label_name
from rvae.data.readers import opening, read
from rvae.data.series import Dataset
from rvae.data.stored import blocks
from rvae.data.summary import Summary
from rvae.data.text_files import STANDARD_INPUT, file_name
from rvae.data.time_steps import UNEVEN_SHARE, TimeSteps, time_steps

__all__ = ["Inspection", "Times", "inspect_file"]

# Share of the rows in pieces too short for a window, beyond which holes are filled instead.
MAX_LOST = 0.2

# Steps to fill, as a share of the rows: a model learns little from windows that are mostly missing.
MAX_FILLED = 1.0


@dataclass(frozen=True)
class Times:
    """The times of a file.

    Attributes:
        first: The earliest.
        last: The latest.
        step: The usual length of a step, in the first series.
        steps: Number of steps between neighbouring times of a series.
        uneven: Number of steps that differ by more than half from the usual one.
        holes: Number of steps of more than one and a half times the usual one.
        longest_hole: Its length; None without holes.
        longest_after: The time before the longest hole; None without holes.
    """

    first: str
    last: str
    step: str
    steps: int
    uneven: int
    holes: int
    longest_hole: str | None
    longest_after: str | None


@dataclass(frozen=True)
class Inspection:
    """What is in a file.

    Attributes:
        file: Its name.
        format: How it is written.
        rows: Number of rows of its table, or of all time steps of its arrays.
        duplicate_rows: Number of rows that are in the table once more.
        series: Number of series.
        columns: Its columns, or channels of its arrays.
        times: Its times, if it has some.
        reader: The configuration with which it can be read: as chosen, and otherwise as proposed.
        notes: What else a user should know.
    """

    file: str
    format: str
    rows: int
    duplicate_rows: int
    series: int
    columns: tuple[ColumnGuess, ...]
    times: Times | None
    reader: ReaderConfig
    notes: tuple[str, ...]


def inspect_file(path: Path, config: ReaderConfig) -> tuple[Inspection, Dataset]:
    """Look at a file or folder, and propose what the user has not chosen.

    Args:
        path: Any file or folder that can be trained on.
        config: What the user has chosen.

    Raises:
        FieldError: If it cannot be read whatever is chosen.
    """
    path = path.expanduser()
    notes: tuple[str, ...] = ()
    columns: Sequence[ColumnGuess] = ()
    with opening(path):
        found, table = _opened(path, config)
        if table is not None and config.layout == "series" and table.num_rows:
            config, columns = guess_roles(table, config)
        elif path.suffix == ".npz" and path.is_file():
            config = _array_roles(path, config)
    whole = read(path, replace(config, every=None, holes="keep"))
    if not columns:
        columns = _channels(whole)
    if path.is_dir() and table is not None:
        notes = ("The columns are those of the first file of the folder.",)
    steps = [time_steps(series) for series in whole.series]
    every, why = _grid(whole, config, [its for its in steps if its is not None])
    config = replace(config, every=every)
    source = replace(config, columns=whole.source.columns)
    dataset = finish(replace(whole, source=source), file_name(path))
    inspection = Inspection(
        file_name(path),
        found,
        sum(map(len, whole.series)) if table is None or path.is_dir() else table.num_rows,
        0 if table is None or path.is_dir() else _duplicates(table),
        len(whole.series),
        tuple(columns),
        _times(whole, steps),
        config,
        (*notes, *dataset.notes, *why),
    )
    return inspection, dataset


def _opened(path: Path, config: ReaderConfig) -> tuple[str, pa.Table | None]:
    """How a file is written, and its table if it holds one; of a folder, that of the first file."""
    if path.is_dir():
        files = sorted(path.glob("*.parquet"))
        if files:
            return f"folder of {len(files)} .parquet files", parquet.read_table(files[0])
        return f"folder of {len(list(path.glob('*.npy')))} .npy files", None
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "Parquet", parquet.read_table(path)
    if name.endswith(".xlsx"):
        return "Excel", open_excel(path, config).table
    if path == STANDARD_INPUT or name.endswith((".csv", ".csv.gz")):
        file = open_csv(path, config)
        written = [f"{name} {mark!r}" for name, mark in vars(file.format).items() if mark]
        return f"CSV ({', '.join(written)})", file.table
    return path.suffix, None


def _grid(
    whole: Dataset, config: ReaderConfig, steps: Sequence[TimeSteps]
) -> tuple[str | None, tuple[str, ...]]:
    """The length of a grid, if windows need one, and why they do."""
    if config.every is not None or config.holes == "keep" or not steps:
        return config.every, ()
    every = round_duration(max(steps, key=lambda its: its.count).usual)
    count, uneven = sum(its.count for its in steps), sum(its.uneven for its in steps)
    if uneven > UNEVEN_SHARE * count:
        return every, (
            f"Uneven steps: {uneven} of {count}. On a grid of {every} they are even, and missing "
            "where there is no row.",
        )
    cut = cut_at_holes(whole, [time_steps(series) for series in whole.series]).series
    window = default_window(whole, DataConfig(""), 0)
    lost = sum(len(piece) for piece in cut if piece.origin is not None and len(piece) < window)
    filled = sum(float(its.lengths.sum() / its.usual) for its in steps)
    if lost <= MAX_LOST * count or filled > MAX_FILLED * count:
        return None, ()
    return every, (
        f"Between holes, {lost} of {count + len(steps)} rows would be in pieces that are shorter "
        f"than a window of {window} steps. A grid of {every} fills the holes with missing values.",
    )


def _times(whole: Dataset, steps: Sequence[TimeSteps | None]) -> Times | None:
    there = [(s, its) for s, its in zip(whole.series, steps, strict=True) if its is not None]
    if not there:
        return None
    firsts = [s.part(0, 1).clock()[0] for s, _ in there]
    lasts = [s.part(len(s) - 1, len(s)).clock()[0] for s, _ in there]
    holes = [
        (length, s.part(int(step) - 1, int(step)).clock()[0])
        for s, its in there
        for length, step in zip(its.lengths, its.holes, strict=True)
    ]
    longest = max(holes, key=lambda hole: hole[0], default=None)
    return Times(
        _text(min(firsts)),
        _text(max(lasts)),
        duration_text(there[0][1].usual),
        sum(its.count for _, its in there),
        sum(its.uneven for _, its in there),
        len(holes),
        None if longest is None else duration_text(longest[0]),
        None if longest is None else _text(longest[1]),
    )


def _text(time: np.datetime64) -> str:
    return str(time.astype("datetime64[s]"))


def _duplicates(table: pa.Table) -> int:
    """Number of rows that have been there before."""
    plain = [n for n in table.column_names if not pa.types.is_nested(table.schema.field(n).type)]
    different = table.select(plain).group_by(plain).aggregate([]).num_rows
    return int(table.num_rows - different)


def _channels(whole: Dataset) -> list[ColumnGuess]:
    """The channels of arrays, or of a table whose rows are series."""
    summary = Summary.empty(len(whole.channels))
    for series in whole.series:
        for block in blocks(series.values):
            summary = summary.merge(block)
    return [
        ColumnGuess(
            name,
            "number",
            "channel",
            int(summary.rows - summary.observed[i]),
            "is constant" if summary.smallest[i] >= summary.largest[i] else "",
        )
        for i, name in enumerate(whole.channels)
    ]


def _array_roles(path: Path, config: ReaderConfig) -> ReaderConfig:
    """Arrays of an .npz: the largest is the data, others may be labels or times."""
    named = (config.array, config.label, config.time, config.classes)
    free = {name: array for name, array in load_arrays(path).items() if name not in named}
    if config.array is None:
        numeric = {name: a for name, a in free.items() if a.dtype.kind in "fiu" and a.size}
        if not numeric:
            return config
        config = replace(config, array=max(numeric, key=lambda name: numeric[name].size))
    for name, array in free.items():
        is_label = has_label_name(name) and set(np.unique(array).tolist()) in ({0}, {0, 1})
        if is_label and name != config.array and config.label is None and not config.normal:
            config = replace(config, label=name)
    return config
