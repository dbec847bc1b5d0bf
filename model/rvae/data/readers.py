"""Files → series."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.series import Series
from rvae.errors import FieldError, require

__all__ = ["Dataset", "read"]

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True)
class Dataset:
    """Series with the same channels.

    Attributes:
        series: At least one.
        channels: Names of the channels, in the order of the values' last axis.
        source: How they were read, with the columns and the array that were chosen.
    """

    series: list[Series]
    channels: tuple[str, ...]
    source: ReaderConfig

    @property
    def labelled(self) -> bool:
        """Whether the source said which points are anomalous."""
        return self.source.label is not None


def read(path: str | Path, config: ReaderConfig) -> Dataset:
    """Read a .csv, .parquet, .npy or .npz file.

    Arrays are one series of one channel (N,), one series (N, C), or several series of one length
    (S, N, C); with the layout "rows" they are several series of one channel (S, N).

    Raises:
        FieldError: If the file cannot be read as the configuration says.
    """
    path = Path(path).expanduser()
    readers: dict[str, Callable[[Path, ReaderConfig], Dataset]] = {
        ".csv": _read_table,
        ".parquet": _read_table,
        ".npy": _read_arrays,
        ".npz": _read_arrays,
    }
    require(path.exists(), "data", f"no such file: {path}")
    require(path.is_file(), "data", f"not a file: {path}")
    require(
        path.suffix in readers, "data", f"cannot read {path.name}: expected {', '.join(readers)}"
    )
    try:
        dataset = readers[path.suffix](path, config)
    except FieldError:
        raise
    except (OSError, ValueError, EOFError, BadZipFile, pa.ArrowException) as error:
        raise FieldError("data", f"cannot read {path.name}: {error}") from error
    require(len(dataset.series) > 0, "data", f"{path.name} holds no series")
    for series in dataset.series:
        require(len(series) > 0, "data", f"series {series.name} of {path.name} is empty")
        infinite = np.isinf(series.values)
        if infinite.any():
            step, channel = np.argwhere(infinite)[0]
            raise FieldError(
                dataset.channels[channel], f"infinite at step {step} of series {series.name}"
            )
    return dataset


def _read_table(path: Path, config: ReaderConfig) -> Dataset:
    table = csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)
    require(table.num_rows > 0, "data", f"{path.name} holds no rows")
    names = table.column_names
    require(len(set(names)) == len(names), "data", f"{path.name} has two columns of one name")
    for option in ("label", "series"):
        name = getattr(config, option)
        require(
            name is None or name in names, f"reader.{option}", f"no column {name!r} in {path.name}"
        )
    if config.columns is None:
        channels = tuple(
            name
            for name in names
            if _is_number(table.schema.field(name).type)
            and name not in (config.label, config.series)
        )
        for name in names:
            if name not in (*channels, config.label, config.series):
                _require_no_number(table, name)
        require(bool(channels), "data", f"{path.name} has no numeric column")
        require(
            "" not in channels,
            "reader.columns",
            f"a numeric column of {path.name} has no name: name the columns that are channels",
        )
    else:
        channels = config.columns
        for name in channels:
            require(name in names, "reader.columns", f"no column {name!r} in {path.name}")
            require(
                _is_number(table.schema.field(name).type),
                "reader.columns",
                f"column {name!r} of {path.name} is {table.schema.field(name).type}, not numeric",
            )
    config = replace(config, columns=channels)
    values = np.stack([_as_floats(table, name) for name in channels], axis=1)  # (N, C)
    labels = _as_labels(
        np.zeros(len(values)) if config.label is None else table[config.label].to_numpy(),
        config.label,
    )
    if config.layout == "rows":
        # A row is a series, and what are channels elsewhere are its time steps.
        return Dataset(_rows(values, labels), ("value",), config)
    if config.series is None:
        return Dataset([Series(path.stem, values, labels)], channels, config)
    keys = table[config.series].to_numpy()
    _, firsts, groups = np.unique(keys.astype(str), return_index=True, return_inverse=True)
    return Dataset(
        [
            Series(str(keys[firsts[group]]), values[groups == group], labels[groups == group])
            for group in np.argsort(firsts)  # in the order of the file
        ],
        channels,
        config,
    )


def _read_arrays(path: Path, config: ReaderConfig) -> Dataset:
    label = None
    loaded = np.load(path, allow_pickle=False)
    require(
        isinstance(loaded, np.lib.npyio.NpzFile) == (path.suffix == ".npz"),
        "data",
        f"{path.name} is not what its name says",
    )
    if path.suffix == ".npz":
        arrays = dict(loaded)
        if config.label is not None:
            require(
                config.label in arrays,
                "reader.label",
                f"no array {config.label!r} in {path.name}, which holds {', '.join(arrays)}",
            )
            label = arrays.pop(config.label)
        name = config.array
        if name is None:
            require(
                len(arrays) == 1,
                "reader.array",
                f"name the data: {path.name} holds {', '.join(arrays) or 'nothing'}",
            )
            (name,) = arrays
        require(
            name in arrays,
            "reader.array",
            f"no array {name!r} in {path.name}, which holds {', '.join(arrays)}",
        )
        array = arrays[name]
        config = replace(config, array=name)
    else:
        require(config.label is None, "reader.label", "an .npy file has no labels: use an .npz")
        array = loaded
    require(array.dtype.kind in "fiu", "data", f"{path.name} holds {array.dtype}, expected numbers")
    values = array.astype(np.float64)
    if config.layout == "rows":
        require(values.ndim == 2, "reader.layout", f'"rows" needs (S, N), got {values.shape}')
        labels = _as_labels(np.zeros(len(values)) if label is None else label, config.label)
        require(
            labels.shape == values.shape[:1],
            "reader.label",
            f"{len(values)} rows need as many labels, got {labels.shape}",
        )
        return Dataset(_rows(values, labels), ("value",), config)
    require(
        1 <= values.ndim <= 3,
        "data",
        f"{path.name} holds {values.shape}, expected (N,), (N, C) or (S, N, C)",
    )
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim == 2:
        values = values[None]  # (S, N, C)
    shape = values.shape[:2]
    labels = _as_labels(np.zeros(shape) if label is None else label, config.label)
    if labels.shape == shape[:1]:
        labels = np.repeat(labels, shape[1])  # one for each series
    require(
        labels.size == shape[0] * shape[1],
        "reader.label",
        f"needs one label a series or a time step of {shape}, got {labels.shape}",
    )
    channels = config.columns or tuple(f"channel_{i}" for i in range(values.shape[2]))
    require(
        len(channels) == values.shape[2],
        "reader.columns",
        f"{path.name} has {values.shape[2]} channels, got {len(channels)} names",
    )
    return Dataset(
        [
            Series(str(i), series, flags)
            for i, (series, flags) in enumerate(zip(values, labels.reshape(shape), strict=True))
        ],
        channels,
        replace(config, columns=channels),
    )


def _rows(values: NDArray[np.float64], labels: NDArray[np.bool_]) -> list[Series]:
    return [
        Series(str(i), row[:, None], np.full(len(row), flag))
        for i, (row, flag) in enumerate(zip(values, labels, strict=True))
    ]


def _as_floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    # Large integers, such as times in nanoseconds, lose digits that no model could use.
    return table[name].cast(pa.float64(), safe=False).to_numpy()


def _require_no_number(table: pa.Table, name: str) -> None:
    """Raise a `FieldError` where a column of text is numbers but for a few cells."""
    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    require(not pa.types.is_null(kind), name, "holds nothing: name the columns that are channels")
    require(not pa.types.is_binary(kind), name, "holds something else than UTF-8")
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return
    numeric = pc.match_substring_regex(column, NUMBER).fill_null(True).to_numpy()
    if numeric.mean() > 0.5:
        row = int(np.argmin(numeric))
        raise FieldError(
            name,
            f"holds numbers, but {column[row].as_py()!r} in row {row}: mend it, or name the "
            "columns that are channels with reader.columns",
        )


def _as_labels(labels: NDArray[Any], field: str | None) -> NDArray[np.bool_]:
    require(
        labels.dtype.kind in "fiub" and not np.isnan(labels.astype(np.float64)).any(),
        "reader.label",
        f"{field!r} must hold a number or truth value everywhere",
    )
    return labels != 0


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)
