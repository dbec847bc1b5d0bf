"""Text files → tables."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from rvae.config import FileFormat, ReaderConfig
from rvae.data.cells import CellError
from rvae.data.file_format import MAX_LINE, Layout, find_layout, records
from rvae.data.number_marks import Marks, evidence, with_grouped_numbers
from rvae.data.series import Dataset
from rvae.data.tables import dataset_of_table
from rvae.data.text_files import file_name, read_text
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError

__all__ = ["CsvFile", "dataset_of_csv", "open_csv", "read_csv"]


@dataclass(frozen=True, eq=False)
class CsvFile:
    """The table in a text file.

    Attributes:
        table: The table.
        format: How the file is written, with all that was found.
        text: The file in UTF-8.
        layout: Where the table is in the text.
    """

    table: pa.Table
    format: FileFormat
    text: bytes
    layout: Layout

    @property
    def marks(self) -> Marks:
        """How numbers are written."""
        return Marks(self.format.decimal or ".", self.format.thousands or "")

    def line_of(self, row: int) -> int:
        """The line of the file, from 1, in which a row of the table ends."""
        rows = records(_lines(self.text, self.layout), self.layout.separator)
        line, _ = next(islice(rows, row, None))
        return self.layout.line - 1 + line


def read_csv(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read a text file of any format into memory.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    return dataset_of_csv(open_csv(path, config), file_name(path), config, vocabulary)


def dataset_of_csv(
    file: CsvFile, name: str, config: ReaderConfig, vocabulary: Vocabulary | None
) -> Dataset:
    """The series in a file; errors in cells name its lines.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    try:
        return dataset_of_table(file.table, name, config, vocabulary, file.marks)
    except CellError as error:
        raise error.at(f"line {file.line_of(error.row)}") from None


def open_csv(path: Path, config: ReaderConfig) -> CsvFile:
    """Read a text file as a table, and find out how it is written.

    Raises:
        FieldError: If it is no table, or its format cannot be told.
    """
    text, encoding = read_text(path, config.format.encoding)
    return parse_csv(text, config, encoding, file_name(path))


def parse_csv(text: bytes, config: ReaderConfig, encoding: str, name: str) -> CsvFile:
    """Read a text in UTF-8 as a table, see `open_csv`."""
    stated = config.format
    layout = find_layout(text, stated, name)
    if layout.separator == "space":
        # pyarrow would find an empty cell between two spaces.
        text = re.sub(rb"(?m)^ +| +$|(?<= ) +", b"", text)
        layout = find_layout(text, replace(stated, separator="space"), name)
    # A time that has a format of its own must not be taken for another one before.
    as_text = [config.time] if config.time and stated.time_format else []
    parse = partial(_parse, text, layout, as_text, name)
    sample = zip(*layout.rows, strict=True)
    seen = evidence(pa.chunked_array([cells], pa.string()) for cells in sample)
    marks = seen.marks(layout.separator, stated)
    table = parse(marks or Marks())
    if marks is None or not seen.is_certain:
        # The beginning does not tell: see what all cells say that are not plainly whole numbers.
        unclear = [
            field.name
            for field in table.schema
            if pa.types.is_floating(field.type) or pa.types.is_string(field.type)
        ]
        seen = evidence(_parse(text, layout, unclear, name, Marks()).select(unclear).columns)
        known, marks = marks or Marks(), seen.marks(layout.separator, stated)
        if marks is None:
            raise seen.unclear()
        table = table if marks == known else parse(marks)
    table = with_grouped_numbers(table, marks)
    if layout.names[-1] == "" and pa.types.is_null(table.schema.types[-1]):
        # Every row ends in a separator.
        table = table.select(range(table.num_columns - 1))
    found = FileFormat(
        separator=layout.separator,
        decimal="," if marks.decimal == "," else ".",
        thousands=marks.thousands,
        encoding=encoding,
        header=layout.header,
        units=bool(stated.units),
        skip=stated.skip or 0,
    )
    return CsvFile(table, replace(stated, **vars(found.updated(stated))), text, layout)


def _lines(text: bytes, layout: Layout) -> io.StringIO:
    return io.StringIO(text[layout.start :].decode(), newline="")


def _parse(
    text: bytes, layout: Layout, as_text: Sequence[str], name: str, marks: Marks
) -> pa.Table:
    """Read the values of a text, with some columns as text."""
    values = pa.py_buffer(text)[layout.start :]
    if not layout.separator:
        # Empty lines are missing values, but not those at the end.
        values = values[: len(text.rstrip(b"\r\n")) - layout.start]
    if not len(values.to_pybytes().strip() if len(values) < 64 else values):
        raise FieldError("data", f"{name} holds no rows")
    try:
        return csv.read_csv(
            pa.BufferReader(values),
            csv.ReadOptions(column_names=layout.names, block_size=MAX_LINE),
            csv.ParseOptions(
                delimiter=layout.delimiter,
                newlines_in_values=b'"' in text,
                ignore_empty_lines=bool(layout.separator),
            ),
            csv.ConvertOptions(
                decimal_point=marks.decimal, column_types=dict.fromkeys(as_text, pa.string())
            ),
        )
    except pa.ArrowException as error:
        raise _explained(error, text, layout, name) from None


def _explained(error: pa.ArrowException, text: bytes, layout: Layout, name: str) -> FieldError:
    """The error of the first row that is not like the others."""
    for number, content in enumerate(io.BytesIO(text), start=1):
        if len(content) > MAX_LINE:
            return FieldError("data", f"line {number} of {name} is longer than {MAX_LINE} bytes")
    wanted = len(layout.names)
    for line, cells in records(_lines(text, layout), layout.separator):
        if len(cells) != wanted:
            number = layout.line - 1 + line
            return FieldError(
                "data",
                f"line {number} of {name} has {len(cells)} cell{'s' * (len(cells) != 1)}, but "
                f"{'there are names for' if layout.header else 'the first row has'} {wanted} with "
                f"the separator {layout.separator!r}",
            )
    return FieldError("data", f"cannot read {name}: {error}")
