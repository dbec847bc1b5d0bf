"""Errors in single cells."""

import numpy as np
import pyarrow as pa
import pytest

from rvae.data.cells import (
    CellError,
    are_numbers,
    require_every,
    require_finite,
    require_numbers,
)
from rvae.data.number_marks import Marks
from rvae.errors import FieldError


def test_an_error_can_be_moved_to_where_a_user_finds_it() -> None:
    error = CellError("heat", "x", 3, "is odd")
    assert str(error) == "heat: 'x' in row 3 is odd"
    assert str(error.at("line 5")) == "heat: 'x' in line 5 is odd"
    assert len(str(CellError("heat", "x" * 1000, 3, "is odd"))) < 100


def test_a_missing_value_among_numbers_is_innocent() -> None:
    cells = ["1", "", "NA", None, "2", "3", "ERROR"]
    with pytest.raises(CellError, match="'ERROR' in row 6"):
        require_numbers(pa.table({"a": cells}), ["a"], Marks())
    require_numbers(pa.table({"a": cells[:-1]}), ["a"], Marks())


def test_words_are_no_numbers_gone_wrong() -> None:
    table = pa.table({"a": ["on", "off", "1"], "b": ["1,5", "2,5", "x"]})
    require_numbers(table, ["a", "b", "c"], Marks())
    with pytest.raises(CellError, match="'x' in row 2"):
        require_numbers(table, ["a", "b"], Marks(","))


def test_a_column_that_holds_nothing_is_said() -> None:
    with pytest.raises(FieldError, match="holds nothing"):
        require_numbers(pa.table({"a": pa.nulls(2)}), ["a"], Marks())


def test_the_first_row_that_breaks_a_rule_is_named() -> None:
    column = pa.chunked_array([["a", None], ["b"]])
    with pytest.raises(CellError, match="label: '' in row 1 is bad"):
        require_every(np.array([True, False, False]), "label", column, "is bad")
    require_every(np.array([True, True, True]), "label", column, "is bad")


def test_infinite_values_are_named() -> None:
    with pytest.raises(CellError, match="b: -inf in row 1"):
        require_finite(np.array([[1.0, np.nan], [2.0, -np.inf]]), ["a", "b"])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "yes", "", None], [True, False, False, False]),
        ([True, None, False], [True, False, True]),
        ([1.5, None], [True, False]),
    ],
)
def test_numbers_and_truth_values_are_numbers(cells: list[object], expected: list[bool]) -> None:
    np.testing.assert_array_equal(are_numbers(pa.chunked_array([cells])), expected)
