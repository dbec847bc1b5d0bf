"""Files and folders → series."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from rvae.config import ReaderConfig
from rvae.data.arrays import read_arrays, read_npy_folder
from rvae.data.roles import anomalies, rows
from rvae.data.series import STEPS_PER_CHUNK, Dataset, Series
from rvae.data.stored import blocks
from rvae.data.tables import read_parquet_folder, read_table
from rvae.data.ucr import read_ucr
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary, word_codes
from rvae.errors import FieldError, require

__all__ = ["read"]


def read(path: str | Path, config: ReaderConfig, known: Vocabulary | None = None) -> Dataset:
    """Read a .csv, .parquet, .npy, .npz, .tsv, .txt or .ts file, or a folder of .npy or .parquet.

    Arrays are one series of one channel (N,), one series (N, C), or several series of one length
    (S, N, C); with the layout "rows" they are several series of one channel (S, N). Of a folder
    each file is one series, and is not read into memory.

    Args:
        path: Of the file or folder.
        config: What it holds.
        known: Categories and classes that a model knows; found in the data if left out.

    Raises:
        FieldError: If the file cannot be read as the configuration says.
    """
    path = Path(path).expanduser()
    require(path.exists(), "data", f"no such file: {path}")
    try:
        dataset = _read_folder(path, config, known) if path.is_dir() else _read(path, config, known)
    except FieldError:
        raise
    except (OSError, ValueError, EOFError, BadZipFile, pa.ArrowException) as error:
        raise FieldError("data", f"cannot read {path.name}: {error}") from error
    require(len(dataset.series) > 0, "data", f"{path.name} holds no series")
    require(
        not config.normal or dataset.series[0].classes is not None,
        "reader.normal",
        "needs classes: name them with reader.classes",
    )
    for series in dataset.series:
        require(len(series) > 0, "data", f"series {series.name} of {path.name} is empty")
        _require_finite(series, dataset.channels)
        if series.times is not None:
            _require_rising(series)
    return dataset


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


def _require_rising(series: Series) -> None:
    before = None
    for number, piece in enumerate(series.pieces()):
        times = piece.clock() if before is None else np.append(before, piece.clock())
        rises = np.diff(times) > np.timedelta64(0)
        if not rises.all():
            step = number * STEPS_PER_CHUNK + int(np.argmin(rises)) - (before is not None)
            message = f"does not rise after step {step} of series {series.name}"
            raise FieldError("reader.time", message)
        before = times[-1]


def _read(path: Path, config: ReaderConfig, known: Vocabulary | None) -> Dataset:
    readers: dict[str, Callable[[Path, ReaderConfig, Vocabulary | None], Dataset]] = {
        ".csv": read_table,
        ".parquet": read_table,
        ".npy": read_arrays,
        ".npz": read_arrays,
        ".tsv": _read_archive,
        ".txt": _read_archive,
        ".ts": _read_archive,
    }
    require(path.is_file(), "data", f"neither a file nor a folder: {path}")
    require(
        path.suffix in readers, "data", f"cannot read {path.name}: expected {', '.join(readers)}"
    )
    return readers[path.suffix](path, config, known)


def _read_folder(path: Path, config: ReaderConfig, known: Vocabulary | None) -> Dataset:
    arrays, tables = (sorted(path.glob(f"*{suffix}")) for suffix in (".npy", ".parquet"))
    require(bool(arrays or tables), "data", f"{path} holds neither .npy nor .parquet files")
    require(not (arrays and tables), "data", f"{path} holds both .npy and .parquet files")
    if arrays:
        return read_npy_folder(arrays, config)
    return read_parquet_folder(tables, config, known)


def _read_archive(path: Path, config: ReaderConfig, known: Vocabulary | None) -> Dataset:
    """Read a file of the UCR archive, where a row is a series and has a class."""
    for option in ("columns", "categorical", "array", "time", "label", "series", "classes"):
        require(
            not getattr(config, option), f"reader.{option}", f"has no meaning for {path.suffix}"
        )
    cases = read_ucr(path)
    labels = codes = None
    vocabulary = known or Vocabulary()
    if cases.classes is not None:
        if known is None:
            vocabulary = Vocabulary({}, sorted_vocabulary(cases.classes, "class"))
        codes = word_codes(cases.classes, vocabulary.classes).astype(np.int64) - 1
        labels = anomalies(codes, vocabulary.classes, config.normal) if config.normal else None
    series = rows(cases.values, labels, codes)
    longest = max(map(len, series))
    padded = [one.padded(longest) for one in series]
    channels = padded[0].values.shape[1]
    names = ("value",) if channels == 1 else tuple(f"channel_{i}" for i in range(channels))
    return Dataset(padded, names, replace(config, layout="rows"), vocabulary)
