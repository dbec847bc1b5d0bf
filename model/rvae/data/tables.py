"""Tables → series."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from rvae.config import ReaderConfig
from rvae.data.cells import (
    CellError,
    are_numbers,
    require_every,
    require_finite,
    require_numbers,
)
from rvae.data.columns import categorical_column, is_number, numbers, split_by_key, words
from rvae.data.number_marks import Marks
from rvae.data.parquet_batches import parquet_batches
from rvae.data.roles import anomalies, as_labels, rows
from rvae.data.series import Dataset, Series
from rvae.data.stored import Spool
from rvae.data.times import timestamps
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary
from rvae.errors import require

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
    require_numbers(table, config.columns or (), marks)
    columns = Columns.of(table.schema, config, name)
    require_numbers(table, columns.spare, marks)
    columns.require_channels()
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
        [whole] if config.series is None else split_by_key(whole, table[config.series]),
        columns.channels,
        columns.config,
        vocabulary,
    )


def read_parquet_folder(
    paths: Sequence[Path], config: ReaderConfig, vocabulary: Vocabulary | None
) -> Dataset:
    """Read .parquet files, each of them one series, into a file on disk, piece by piece.

    Raises:
        FieldError: If they do not hold what the configuration says.
    """
    require(config.series is None, "reader.series", "each file of a folder is one series")
    require(config.layout == "series", "reader.layout", 'must be "series" for a folder')
    columns = Columns.of(parquet.read_schema(paths[0]), config, paths[0].name)
    columns.require_channels()
    for path in paths:
        same = Columns.of(parquet.read_schema(path), columns.config, path.name)
        require(
            same.channels == columns.channels,
            "data",
            f"{path.name} has the channels {', '.join(same.channels)}, {paths[0].name} has "
            f"{', '.join(columns.channels)}",
        )
    vocabulary = vocabulary or columns.vocabulary(
        piece for path in paths for piece in _pieces(path, columns)
    )
    values = Spool(len(columns.channels))
    others = Spool(1, np.bool_), Spool(1, np.int64), Spool(1, np.int64)  # labels, times, classes
    borders = [0]
    for path in paths:
        for piece in _pieces(path, columns):
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


@dataclass(frozen=True)
class Columns:
    """Which column of a table is what.

    Attributes:
        config: With the columns that are numeric channels.
        spare: Columns that the configuration does not use.
        file: Name of the table in messages.
    """

    config: ReaderConfig
    spare: tuple[str, ...]
    file: str

    @classmethod
    def of(cls, schema: pa.Schema, config: ReaderConfig, file: str) -> "Columns":
        """Find every column that the configuration names, and numeric ones where it names none."""
        names = schema.names
        require(len(set(names)) == len(names), "data", f"{file} has two columns with the same name")
        taken = list(config.categorical)
        for name in config.categorical:
            require(name in names, "reader.categorical", f"no column {name!r} in {file}")
        for option in ("time", "label", "classes", "series"):
            name = getattr(config, option)
            require(name is None or name in names, f"reader.{option}", f"no {name!r} in {file}")
            taken.append(name)
        if config.columns is None:
            free = [name for name in names if name not in taken]
            numeric = tuple(name for name in free if is_number(schema.field(name).type))
            require(
                "" not in numeric,
                "reader.columns",
                f"a numeric column of {file} has no name: name the columns that are channels",
            )
            spare = tuple(name for name in free if name not in numeric)
            return cls(replace(config, columns=numeric or None), spare, file)
        for name in config.columns:
            require(name in names, "reader.columns", f"no column {name!r} in {file}")
            kind = schema.field(name).type
            require(
                is_number(kind),
                "reader.columns",
                f"column {name!r} of {file} is {kind}, not numeric: is it one of "
                "reader.categorical?",
            )
        return cls(config, (), file)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels: numeric ones, then categorical ones."""
        return (self.config.columns or ()) + self.config.categorical

    @property
    def needed(self) -> list[str]:
        """All columns that are read."""
        others = (self.config.time, self.config.label, self.config.classes)
        return list(dict.fromkeys([*self.channels, *(name for name in others if name)]))

    def require_channels(self) -> None:
        """Raise a `FieldError` if there are no channels."""
        require(
            bool(self.channels),
            "data",
            f"{self.file} has no numeric column, and reader.categorical names none",
        )

    def vocabulary(self, pieces: Iterable[pa.Table]) -> Vocabulary:
        """All categories and classes in some pieces of a table."""
        wanted = [*self.config.categorical, *([self.config.classes] if self.config.classes else [])]
        found: dict[str, set[str]] = {name: set() for name in wanted}
        for piece in pieces if wanted else ():
            for name in wanted:
                found[name].update(
                    word for word in pc.unique(words(piece, name)).to_pylist() if word
                )
        return Vocabulary(
            {name: sorted_vocabulary(found[name], name) for name in self.config.categorical},
            sorted_vocabulary(found[self.config.classes], self.config.classes)
            if self.config.classes
            else (),
        )

    def values(self, piece: pa.Table, vocabulary: Vocabulary) -> NDArray[np.float64]:
        """The channels (N, C)."""
        columns = [numbers(piece, name) for name in self.config.columns or ()]
        for name in self.config.categorical:
            columns.append(categorical_column(piece, name, vocabulary.categories[name]))
        return np.stack(columns, axis=1)

    def roles(
        self, piece: pa.Table, vocabulary: Vocabulary
    ) -> tuple[NDArray[np.bool_] | None, NDArray[np.datetime64] | None, NDArray[np.int64] | None]:
        """Labels, times and classes (N,), each None where the configuration names no column."""
        config = self.config
        labels = times = classes = None
        if config.label is not None:
            column = piece[config.label]
            problem = f"is no label: {config.label!r} must hold a number or truth value everywhere"
            require_every(are_numbers(column), "reader.label", column, problem)
            labels = as_labels(column.to_numpy(), config.label)
        if config.time is not None:
            times = timestamps(piece, config.time, config.format.time_format)
            problem = f"is no time: {config.time!r} must hold one everywhere"
            require_every(~np.isnat(times), "reader.time", piece[config.time], problem)
        if config.classes is not None:
            codes = np.nan_to_num(categorical_column(piece, config.classes, vocabulary.classes))
            classes = codes.astype(np.int64) - 1
            if config.normal:
                labels = anomalies(classes, vocabulary.classes, config.normal)
        return labels, times, classes


def _pieces(path: Path, columns: Columns) -> Iterator[pa.Table]:
    """Some columns of a .parquet file, in pieces small enough for memory."""
    rows = max(1, min(ROWS_PER_CHUNK, NUMBERS_PER_CHUNK // len(columns.needed)))
    for batch in parquet_batches(path, columns.needed, rows):
        yield pa.Table.from_batches([batch])
