"""Files, folders, frames and arrays → series."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from rvae.config import ReaderConfig
from rvae.data.arrays import dataset_of_arrays, read_arrays, read_npy_folder, view_array
from rvae.data.csv_files import read_csv
from rvae.data.excel import read_excel
from rvae.data.finishing import finish
from rvae.data.frames import as_frame, table_of_frame
from rvae.data.series import Dataset
from rvae.data.tables import dataset_of_table, read_parquet, read_parquet_folder
from rvae.data.text_files import STANDARD_INPUT, file_name
from rvae.data.ucr import read_archive
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require

__all__ = ["FOLDER_READERS", "READERS", "FolderReader", "Reader", "opening", "read"]

# Arguments: path, configuration, and the vocabulary of a model, if there is one.
Reader = Callable[[Path, ReaderConfig, Vocabulary | None], Dataset]
FolderReader = Callable[[Sequence[Path], ReaderConfig, Vocabulary | None], Dataset]

# By ending of the file's name. A new reader is a function in a file of its own, and a line here.
READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".xlsx": read_excel,
    ".parquet": read_parquet,
    ".npy": read_arrays,
    ".npz": read_arrays,
    ".tsv": read_archive,
    ".txt": read_archive,
    ".ts": read_archive,
}

# By suffix of the files in a folder, each of which is one series that stays on disk.
FOLDER_READERS: dict[str, FolderReader] = {
    ".npy": read_npy_folder,
    ".parquet": read_parquet_folder,
}


def read(
    source: Any,
    config: ReaderConfig,
    vocabulary: Vocabulary | None = None,
    on_disk: bool = False,
) -> Dataset:
    """Read a file, a folder, a data frame or an array.

    A file is a .csv, .csv.gz, .xlsx, .parquet, .npy, .npz, .tsv, .txt or .ts file. In a folder of
    .npy or .parquet files each file is one series, and is not read into memory. A data frame is one
    of pandas, polars or Arrow, and is read like a table in a file. Arrays are one series of one
    channel (N,), one series (N, C), or several series of one length (S, N, C); with the layout
    "rows" they are several series of one channel (S, N).

    Args:
        source: Path, data frame or array; the path "-" is .csv from standard input.
        config: Roles of columns and arrays.
        vocabulary: Vocabulary of a model; found in the data if None.
        on_disk: Whether an .npy file of one series is not read into memory either: for one pass
            over all of it, and not for windows in random order.

    Raises:
        FieldError: If the source cannot be read with this configuration.
    """
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        return finish(_read_path(path, config, vocabulary, on_disk), file_name(path))
    return finish(_read_object(source, config, vocabulary), "data")


def _read_object(source: Any, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    if (frame := as_frame(source)) is not None:
        return dataset_of_table(table_of_frame(frame, config.time), "data", config, vocabulary)
    require(
        isinstance(source, np.ndarray),
        "data",
        f"must be a path, a data frame or an array of NumPy, got {type(source).__name__}",
    )
    if isinstance(source, np.ma.MaskedArray):
        # What is masked is missing.
        source = np.ma.filled(source.astype(np.float64), np.nan)
    return dataset_of_arrays({"": source}, "", config, vocabulary, "data")


def _read_path(
    path: Path, config: ReaderConfig, vocabulary: Vocabulary | None, on_disk: bool
) -> Dataset:
    with opening(path):
        if on_disk and path.is_file() and path.name.lower().endswith(".npy"):
            return view_array(path, config, vocabulary)
        load = _read_folder if path.is_dir() else _read_file
        return load(path, config, vocabulary)


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into a `FieldError` with its name."""
    require(path == STANDARD_INPUT or path.exists(), "data", f"no such file: {path}")
    try:
        yield
    except FieldError:
        raise
    except (OSError, ValueError, EOFError, BadZipFile, pa.ArrowException) as error:
        raise FieldError("data", f"cannot read {file_name(path)}: {error}") from error


def _read_file(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    if path == STANDARD_INPUT:
        return read_csv(path, config, vocabulary)
    require(path.is_file(), "data", f"neither a file nor a folder: {path}")
    for ending, reader in READERS.items():
        if path.name.lower().endswith(ending):
            return reader(path, config, vocabulary)
    raise FieldError("data", f"cannot read {path.name}: expected {', '.join(READERS)}")


def _read_folder(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    files = {suffix: sorted(path.glob(f"*{suffix}")) for suffix in FOLDER_READERS}
    present = [suffix for suffix, paths in files.items() if paths]
    require(bool(present), "data", f"{path} holds neither {' nor '.join(files)} files")
    require(len(present) == 1, "data", f"{path} holds both {' and '.join(present)} files")
    return FOLDER_READERS[present[0]](files[present[0]], config, vocabulary)
