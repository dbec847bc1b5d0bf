"""Tables → series."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from rvae.config import ReaderConfig
from rvae.data.cells import CellError, require_every, require_finite, require_numbers
from rvae.data.column_roles import Columns, name_list
from rvae.data.columns import split_by_key, words
from rvae.data.label_columns import has_label_name, holds_labels
from rvae.data.number_marks import Marks
from rvae.data.parquet_batches import parquet_batches
from rvae.data.roles import rows
from rvae.data.series import Dataset, Series
from rvae.data.stored import Spool
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require

__all__ = ["dataset_of_table", "read_parquet", "read_parquet_folder"]

# Limits of a piece of a .parquet file; the lower one counts. Words need more memory than numbers.
ROWS_PER_CHUNK, NUMBERS_PER_CHUNK = 1 << 14, 1 << 19


def read_parquet(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read a .parquet file into memory.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    return dataset_of_table(parquet.read_table(path), path.name, config, vocabulary)


def dataset_of_table(
    table: pa.Table,
    name: str,
    config: ReaderConfig,
    vocabulary: Vocabulary | None,
    marks: Marks = Marks(),
) -> Dataset:
    """The series of a table.

    Args:
        table: A row per step, or with the layout "rows" a row per series.
        name: Name of the table in messages; without its suffix, of a series that has no other.
        config: Roles of the columns.
        vocabulary: Vocabulary of a model; found in the table if None.
        marks: How numbers are written in what is text because some cells are no numbers.

    Raises:
        CellError: If a cell cannot be read.
        FieldError: If the table does not hold what the configuration says.
    """
    require(table.num_rows > 0, "data", f"{name} holds no rows")
    # A channel that the user names may be missing as a whole.
    empty = {field.name for field in table.schema if pa.types.is_null(field.type)}
    require_numbers(table, [n for n in config.columns or () if n not in empty], marks)
    columns = Columns.of(table.schema, config, name)
    require_numbers(table, columns.spare, marks)
    columns.require_channels()
    columns.require_roles(table.schema)
    if config.columns is None:
        _require_no_labels(columns, lambda column: [table.select([column])])
    if vocabulary is not None:
        columns.require_known(table.schema, vocabulary)
    vocabulary = vocabulary or columns.vocabulary([table])
    values = columns.values(table, vocabulary)
    if config.layout == "series":
        require_finite(values, columns.channels)
    labels, times, classes = columns.roles(table, vocabulary)
    if config.layout == "rows":
        # A row is a series, and the columns are its time steps.
        require(not config.categorical, "reader.categorical", 'has no meaning for layout "rows"')
        require(times is None, "reader.time", 'has no meaning for the layout "rows"')
        return Dataset(rows(list(values), labels, classes), ("value",), columns.config, vocabulary)
    stem = Path(name.removesuffix(".gz")).stem
    whole = Series(values, stem, labels, times, classes, np.arange(len(values)))
    return Dataset(
        [whole] if config.series is None else _by_name(whole, table, config.series),
        columns.channels,
        columns.config,
        vocabulary,
    )


def _by_name(whole: Series, table: pa.Table, name: str) -> list[Series]:
    """The series of a table with a column of their names."""
    named = words(table, name).is_valid().to_numpy()
    problem = f"is no series: {name!r} must name one everywhere"
    require_every(named, "reader.series", table[name], problem)
    return split_by_key(whole, table[name])


def read_parquet_folder(
    paths: Sequence[Path], config: ReaderConfig, vocabulary: Vocabulary | None
) -> Dataset:
    """Read .parquet files, each of them one series, into a file on disk, piece by piece.

    Raises:
        FieldError: If they do not hold what the configuration says.
    """
    require(config.series is None, "reader.series", "each file of a folder is one series")
    require(config.layout == "series", "reader.layout", 'must be "series" for a folder')
    schema = parquet.read_schema(paths[0])
    columns = Columns.of(schema, config, paths[0].name)
    columns.require_channels()
    columns.require_roles(schema)
    # Columns that the user has not named are those of the first file.
    named = columns.config if config.columns is None else config
    found = [Columns.of(parquet.read_schema(path), named, path.name) for path in paths]
    spare = dict.fromkeys(name for one in found for name in one.config.ignore or ())
    columns = replace(columns, config=replace(columns.config, ignore=tuple(spare)))
    if config.columns is None:
        _require_no_labels(columns, lambda column: _pieces_of(paths, [column]))
    if vocabulary is not None:
        columns.require_known(schema, vocabulary)
    vocabulary = vocabulary or columns.vocabulary(_pieces_of(paths, columns.needed))
    values = Spool(len(columns.channels))
    others = Spool(1, np.bool_), Spool(1, np.int64), Spool(1, np.int64)  # labels, times, classes
    borders = [0]
    for path in paths:
        for piece in _pieces_of([path], columns.needed):
            try:
                roles = columns.roles(piece, vocabulary)
            except CellError as error:
                row = len(values.stored()) - borders[-1] + error.row
                raise error.at(f"row {row} of {path.name}") from None
            values.append(columns.values(piece, vocabulary))
            for spool, role in zip(others, roles, strict=True):
                if role is not None:
                    spool.append(role[:, None])
        borders.append(len(values.stored()))
    labels, times, classes = (spool.stored() if len(spool.stored()) else None for spool in others)
    whole = Series(values.stored(), "", labels, times, classes)
    series = [
        whole.steps(slice(*ends), path.stem)
        for ends, path in zip(pairwise(borders), paths, strict=True)
    ]
    return Dataset(series, columns.channels, columns.config, vocabulary)


def _pieces_of(paths: Sequence[Path], names: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of .parquet files, in pieces small enough for memory."""
    rows = max(1, min(ROWS_PER_CHUNK, NUMBERS_PER_CHUNK // len(names)))
    for path in paths:
        for batch in parquet_batches(path, names, rows):
            yield pa.Table.from_batches([batch])


def _require_no_labels(columns: Columns, pieces: Callable[[str], Iterable[pa.Table]]) -> None:
    """Raise a `FieldError` if a column that would be a channel unasked looks like labels.

    Args:
        columns: Columns of which the user has named no channel.
        pieces: From the name of a column, pieces of the table that hold it.
    """
    for name in filter(has_label_name, columns.config.columns or ()):
        if holds_labels(column for piece in pieces(name) for column in piece[name].chunks):
            option = shlex.quote(name)
            raise FieldError(
                name,
                f"column of {columns.file} looks like labels, which no model may see: if it marks "
                f"anomalies, say --reader.label {option}, if it holds classes, --reader.classes "
                f"{option}; a channel belongs to --reader.columns, and what is neither to "
                f"--reader.ignore {name_list([name])}",
            )
