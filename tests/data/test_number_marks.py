"""Marks in numbers."""

import numpy as np
import pyarrow as pa
import pytest

from rvae.config import FileFormat
from rvae.data.number_marks import Evidence, Marks, classify, evidence, with_grouped_numbers
from rvae.errors import FieldError


def seen(*columns: list[str]) -> Evidence:
    return evidence(pa.chunked_array([column]) for column in columns)


@pytest.mark.parametrize(
    ("cells", "separator", "expected"),
    [
        (["1.5", "2"], ";", Marks(".")),
        (["1,5", "2"], ";", Marks(",")),
        (["0,125"], ";", Marks(",")),
        (["1234,567"], "tab", Marks(",")),
        (["1.234.567"], ";", Marks(",", ".")),
        (["1,234,567"], ";", Marks(".", ",")),
        (["1.234,5"], ";", Marks(",", ".")),
        (["1,234.567"], ",", Marks(".", ",")),
        (["1,234", "0.5"], ",", Marks(".", ",")),
        (["1.234", "0,5"], ";", Marks(",", ".")),
        (["-1 234,567"], ";", Marks(",", " ")),
        (["1'234.5"], ";", Marks(".", "'")),
        (["1\u202f234"], ";", Marks(".", "\u202f")),
        (["1,5e3"], ";", Marks(",")),
        (["31.01.2026", "10.0.0.1"], ";", Marks(".")),
        (["12", "x"], ";", Marks(".")),
        (["1.234", "12.345"], ",", Marks(".")),
        (["1.234", "1234"], "tab", Marks(".")),
        (["1,234"], ";", None),
        (["1,234"], ",", None),
        (["1.234"], ";", None),
        (["1.234", "999"], ",", None),
        (["1.234", "1,234"], "tab", None),
    ],
)
def test_the_marks_are_those_with_which_all_cells_can_be_read(
    cells: list[str], separator: str, expected: Marks | None
) -> None:
    assert seen(cells).marks(separator, FileFormat()) == expected


def test_one_column_tells_of_another() -> None:
    assert seen(["1,234"], ["0,5"]).marks(";", FileFormat()) == Marks(",")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (FileFormat(decimal=","), Marks(",")),
        (FileFormat(decimal="."), Marks(".", ",")),
        (FileFormat(thousands=","), Marks(".", ",")),
        (FileFormat(thousands="."), Marks(",", ".")),
        (FileFormat(thousands=""), Marks(",", "")),
        (FileFormat(thousands=" "), Marks(",", " ")),
        (FileFormat(decimal=".", thousands=" "), Marks(".", " ")),
    ],
)
def test_what_is_stated_decides(stated: FileFormat, expected: Marks) -> None:
    assert seen(["1,234"]).marks(";", stated) == expected


@pytest.mark.parametrize(
    "cells", [["0.5", "0,5"], ["0.5", "1.234.567"], ["1.234.567", "1,234,567"], ["1.234,5", "0.5"]]
)
def test_cells_that_do_not_agree_are_shown(cells: list[str]) -> None:
    with pytest.raises(FieldError) as caught:
        seen(cells).marks(";", FileFormat())
    assert caught.value.field == "reader.format.decimal"
    assert all(repr(cell) in caught.value.message for cell in cells)


def test_an_unclear_cell_is_shown_with_what_would_decide() -> None:
    error = seen(["5", "1,234"]).unclear()
    assert "'1,234'" in error.message
    assert "format.decimal ','" in error.message and "format.thousands ','" in error.message


def test_only_columns_of_numbers_alone_become_numbers() -> None:
    table = pa.table(
        {
            "a": ["1.234,5", "", "+7"],
            "b": ["1.234,5", "off", "7"],
            "c": ["NA", "", None],
            "d": ["12.34,5", "1", "2"],
        }
    )
    found = with_grouped_numbers(table, Marks(",", "."))
    assert found["a"].to_pylist() == [1234.5, None, 7.0]
    assert found.drop_columns("a").equals(table.drop_columns("a"))
    assert with_grouped_numbers(table, Marks(",")) is table


def test_cells_are_numbers_missing_or_neither() -> None:
    numeric, missing = classify(pa.chunked_array([["1.5", "NA", "x"], [None, "1.5"]]), Marks())
    np.testing.assert_array_equal(numeric, [True, False, False, False, True])
    np.testing.assert_array_equal(missing, [False, True, False, True, False])
