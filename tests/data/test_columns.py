"""Columns of tables as series have them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rvae.data.columns import apart, categorical_column
from rvae.data.series import Series


def chunked(*pieces: Any, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(piece, kind) for piece in pieces])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (chunked(["b", "a"], ["b", None]), {"b": [0, 2], "a": [1], "None": [3]}),
        (chunked([7, 5], [7, 7]), {"7": [0, 2, 3], "5": [1]}),
        (chunked([2.5, None], [float("nan"), 2.5]), {"2.5": [0, 3], "nan": [1, 2]}),
        (chunked([1, 0.5], kind=pa.float16()), {"1.0": [0], "0.5": [1]}),
        (chunked(["b", "a", "b"], kind=pa.string_view()), {"b": [0, 2], "a": [1]}),
        (chunked([None] * 4, kind=pa.null()), {"None": [0, 1, 2, 3]}),
        (chunked([True, False], [False, True]), {"True": [0, 3], "False": [1, 2]}),
        (
            # The dictionary of the first piece has another order, that of the second other words.
            pa.chunked_array(
                [
                    pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["a", "b", "c"])),
                    pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["b"])),
                ]
            ),
            {"b": [0, 2, 3], "a": [1]},
        ),
    ],
)
def test_series_are_told_apart_in_the_order_in_which_they_begin(
    keys: pa.ChunkedArray, expected: dict[str, list[int]]
) -> None:
    whole = Series(np.arange(float(len(keys)))[:, None])
    found = {one.name: one.values[:, 0].tolist() for one in apart(whole, keys)}
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize("coded", [False, True])
def test_words_are_numbered_whichever_piece_they_are_in(coded: bool) -> None:
    column = chunked(["b", None], ["z", "a", ""], ["b"])
    table = pa.table({"mode": column.dictionary_encode() if coded else column})
    found = categorical_column(table, "mode", ("a", "b"))
    np.testing.assert_array_equal(found, [2, np.nan, 0, 1, np.nan, 2])
    assert categorical_column(table.slice(0, 0), "mode", ("a", "b")).shape == (0,)
