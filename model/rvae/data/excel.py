"""Excel files → tables."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rvae.config import ReaderConfig
from rvae.data.csv_files import CsvFile, dataset_of_csv, parse_csv
from rvae.data.series import Dataset
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require

__all__ = ["open_excel", "read_excel"]


def read_excel(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read a sheet of an .xlsx file into memory.

    Raises:
        FieldError: If it does not hold what the configuration says.
    """
    return dataset_of_csv(open_excel(path, config), path.name, config, vocabulary)


def open_excel(path: Path, config: ReaderConfig) -> CsvFile:
    """Read a sheet of an .xlsx file like the text file that it could be saved as.

    Raises:
        FieldError: If it is no table, or it cannot be told which sheet is meant.
    """
    try:
        import python_calamine as calamine
    except ModuleNotFoundError:
        raise FieldError(
            "data", f"{path.name} needs python-calamine: pip install 'rvae[excel]'"
        ) from None
    try:
        book = calamine.load_workbook(path)
    except (calamine.CalamineError, OSError) as error:
        raise FieldError("data", f"{path.name} is no Excel file: {error}") from None
    name = config.format.sheet or _only_sheet(book, path.name)
    names = book.sheet_names
    require(
        name in names,
        "reader.format.sheet",
        f"there is no sheet {name!r} in {path.name}, which has {', '.join(names)}",
    )
    text = _as_text(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
    written = replace(config.format, separator=",", decimal=config.format.decimal or ".")
    return parse_csv(text, replace(config, format=written), "utf-8", path.name)


def _only_sheet(book: Any, file: str) -> str:
    """The only sheet that holds anything."""
    filled = [name for name in book.sheet_names if book.get_sheet_by_name(name).to_python()]
    require(
        len(filled) == 1,
        "reader.format.sheet",
        f"name one: {file} has {', '.join(filled)}" if filled else f"{file} is empty",
    )
    return filled[0]


def _as_text(rows: list[list[Any]]) -> bytes:
    """Rows as CSV, each in a line of its own, so that lines are numbered as rows are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row] if any(v != "" for v in row) else [])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\r", " ").replace("\n", " ")
