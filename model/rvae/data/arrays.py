"""Arrays → series."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from lzma import LZMAError
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.open_files import allow_open_files
from rvae.data.roles import anomalies, as_labels, as_times
from rvae.data.series import Dataset, Series
from rvae.data.stored import StoredArray
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary, word_codes
from rvae.errors import FieldError, require

__all__ = ["dataset_of_arrays", "load_arrays", "read_arrays", "read_npy_folder", "view_array"]

# What NumPy and zipfile raise, beside errors that name the file anyway: for a shape of truth values
# or beyond the memory, unknown or damaged compression, a password.
UNREADABLE = (TypeError, MemoryError, OverflowError, RuntimeError, zlib.error, LZMAError)


def read_arrays(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read an .npy or .npz file into memory.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    arrays, name = load_arrays(path), ""
    if path.suffix == ".npz":
        name = _main_array(arrays, config, path)
        config = replace(config, array=name)
    return dataset_of_arrays(arrays, name, config, vocabulary, path.name)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npy or .npz file by their names; the only one of an .npy file has none.

    Raises:
        FieldError: If it holds something else.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            is_archive = isinstance(loaded, np.lib.npyio.NpzFile)
            require(
                is_archive == (path.suffix == ".npz"),
                "data",
                f"{path.name} does not hold what its suffix says",
            )
            arrays = dict(loaded) if is_archive else {"": loaded}
    except UNREADABLE as error:
        raise FieldError("data", f"cannot read {path.name}: {error}") from error
    # NumPy returns the bytes of any other file in the archive.
    foreign = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    require(
        not foreign, "data", f"{path.name} holds {', '.join(foreign)}, which is no array: remove it"
    )
    return arrays


def dataset_of_arrays(
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    config: ReaderConfig,
    vocabulary: Vocabulary | None,
    file: str,
) -> Dataset:
    """The series of arrays.

    Args:
        arrays: The arrays by name; a single one has the name "".
        name: Name of the array with the values.
        config: Roles of the other arrays.
        vocabulary: Vocabulary of a model; found in the arrays if None.
        file: Name of the source in messages.

    Raises:
        FieldError: If the arrays do not hold what the configuration says.
    """
    require(not config.categorical, "reader.categorical", "is for tables: arrays hold numbers")
    for option in ("label", "time", "classes"):
        require(
            name != "" or getattr(config, option) is None,
            f"reader.{option}",
            f"{file} is a single array: use an .npz or a data frame",
        )
    array = arrays[name]
    require(array.dtype.kind in "fiu", "data", f"{file} holds {array.dtype}, expected numbers")
    values = array.astype(np.float64)
    if config.layout == "rows":
        require(values.ndim == 2, "reader.layout", f'"rows" needs (S, N), got {values.shape}')
        require(config.time is None, "reader.time", 'has no meaning for the layout "rows"')
        values, shape = values[..., None], values.shape
    else:
        require(
            1 <= values.ndim <= 3,
            "data",
            f"{file} holds {values.shape}, expected (N,), (N, C) or (S, N, C)",
        )
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim == 2:
            values = values[None]
        shape = values.shape[:2]
    # From here on values are (S, N, C), and shape is (S, N).
    labels = times = classes = None
    is_new = vocabulary is None
    vocabulary = vocabulary or Vocabulary()
    if config.label is not None:
        labels = _of_steps(as_labels(arrays[config.label], config.label), shape, "reader.label")
    if config.time is not None:
        times = _of_steps(as_times(arrays[config.time], config.time), shape, "reader.time")
    if config.classes is not None:
        words = _words(arrays[config.classes])
        if is_new:
            vocabulary = Vocabulary(
                {}, sorted_vocabulary(words.reshape(-1).tolist(), config.classes)
            )
        codes = word_codes(words.reshape(-1).tolist(), vocabulary.classes).reshape(words.shape)
        classes = _of_steps(codes.astype(np.int64) - 1, shape, "reader.classes")
        if config.normal:
            labels = anomalies(classes, vocabulary.classes, config.normal)
    series = [
        Series(
            one,
            str(i),
            *(None if array is None else array[i] for array in (labels, times, classes)),
        )
        for i, one in enumerate(values)
    ]
    if config.layout == "rows":
        return Dataset(series, ("value",), config, vocabulary)
    channels = _channel_names(config, values.shape[2], file)
    return Dataset(series, channels, replace(config, columns=channels), vocabulary)


def view_array(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """View an .npy file of one series without reading it; what it cannot view it reads.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    roles = (config.label, config.time, config.classes, *config.categorical)
    if config.layout == "series" and not any(roles):
        try:
            view = StoredArray.of_npy(path)
        except FieldError:  # several series, columns one after another, or an error
            return read_arrays(path, config, vocabulary)
        if view.is_numeric:
            channels = _channel_names(config, view.shape[1], path.name)
            found = replace(config, columns=channels)
            return Dataset([Series(view, "0")], channels, found, vocabulary or Vocabulary())
    return read_arrays(path, config, vocabulary)


def read_npy_folder(
    paths: Sequence[Path], config: ReaderConfig, vocabulary: Vocabulary | None
) -> Dataset:
    """View .npy files, each of them one series (N,) or (N, C), without reading them.

    They hold numbers only, so the vocabulary is not used.

    Raises:
        FieldError: If they do not hold what the configuration says.
    """
    for option in ("array", "time", "label", "classes", "series"):
        require(getattr(config, option) is None, f"reader.{option}", "is not for .npy files")
    require(not config.categorical, "reader.categorical", "is for tables: arrays hold numbers")
    require(config.layout == "series", "reader.layout", 'must be "series" for a folder')
    allow_open_files(len(paths))
    views = [StoredArray.of_npy(path) for path in paths]
    for path, view in zip(paths, views, strict=True):
        require(
            view.shape[1] == views[0].shape[1],
            "data",
            f"{path.name} has {view.shape[1]} channels, {paths[0].name} has {views[0].shape[1]}",
        )
    channels = _channel_names(config, views[0].shape[1], paths[0].name)
    return Dataset(
        [Series(view, path.stem) for path, view in zip(paths, views, strict=True)],
        channels,
        replace(config, columns=channels),
    )


def _main_array(arrays: dict[str, NDArray[Any]], config: ReaderConfig, path: Path) -> str:
    """Name of the array with the values; the arrays of labels, times and classes must exist."""
    roles = [("label", config.label), ("time", config.time), ("classes", config.classes)]
    for option, name in (*roles, ("array", config.array)):
        require(
            name is None or name in arrays,
            f"reader.{option}",
            f"no array {name!r} in {path.name}, which holds {', '.join(arrays)}",
        )
    if config.array is not None:
        return config.array
    left = [name for name in arrays if name not in [role for _, role in roles]]
    require(
        len(left) == 1,
        "reader.array",
        f"name the data: {path.name} holds {', '.join(left) or 'nothing'}",
    )
    return left[0]


def _channel_names(config: ReaderConfig, count: int, file: str) -> tuple[str, ...]:
    require(count > 0, "data", f"{file} holds no channels")
    names = config.columns or tuple(f"channel_{i}" for i in range(count))
    require(
        len(names) == count,
        "reader.columns",
        f"{file} has {count} channels, got {len(names)} names",
    )
    return names


def _words(array: NDArray[Any]) -> NDArray[np.object_]:
    """Classes of any type as text, whole numbers without a decimal point."""
    require(array.dtype.kind in "iubfU", "reader.classes", f"holds {array.dtype}, expected classes")
    if array.dtype.kind == "f":
        require(
            bool((array == np.round(array)).all()), "reader.classes", "holds fractions, not classes"
        )
        array = array.astype(np.int64)
    return array.astype(str).astype(object)


def _of_steps(entries: NDArray[Any], shape: tuple[int, int], field: str) -> NDArray[Any]:
    """One entry per time step (S, N), from entries per time step or per series."""
    if entries.shape == shape[:1]:
        return np.repeat(entries[:, None], shape[1], axis=1)
    require(
        entries.size == shape[0] * shape[1],
        field,
        f"needs one entry per series or per time step of {shape}, got {entries.shape}",
    )
    return entries.reshape(shape)
