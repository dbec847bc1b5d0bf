"""Data frames of any library ⇄ tables."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rvae.data.frames import as_frame, frame_like, table_of_frame, time_index
from rvae.errors import FieldError

TIMES = pd.date_range("2026-01-01", periods=3, freq="h")
PANDAS = pd.DataFrame({"heat": [1.0, np.nan, 3.0], "state": ["on", None, "off"]}, index=TIMES)


@pytest.mark.parametrize("data", [None, 3, [1.0], np.zeros(3), {"a": [1]}, "file.csv"])
def test_other_data_is_no_frame(data: Any) -> None:
    assert as_frame(data) is None


@pytest.mark.parametrize(
    "data",
    [
        PANDAS,
        PANDAS.convert_dtypes(),
        pl.from_pandas(PANDAS),
        pl.from_pandas(PANDAS).lazy(),
        pa.Table.from_pandas(PANDAS, preserve_index=False),
    ],
)
def test_missing_values_of_every_library_are_null(data: Any) -> None:
    frame = as_frame(data)
    assert frame is not None
    table = table_of_frame(frame, None)
    assert table["heat"].to_pylist() == [1.0, None, 3.0]
    assert table["state"].to_pylist() == ["on", None, "off"]


def test_names_that_are_the_same_as_text_are_refused() -> None:
    frame = as_frame(pd.DataFrame([[1.0, 2.0]], columns=[1, "1"]))
    assert frame is not None
    with pytest.raises(FieldError, match="two columns called '1'"):
        table_of_frame(frame, None)


def test_a_column_is_a_frame_of_its_own() -> None:
    for column, name in ((PANDAS["heat"], "heat"), (PANDAS["heat"].rename(None), "value")):
        frame = as_frame(column)
        assert frame is not None and frame.columns == [name]
        assert time_index(frame) == "time"


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (TIMES, "time"),
        (TIMES.rename("when"), "when"),
        (TIMES.to_period("h"), "time"),
        (TIMES.tz_localize("Europe/Berlin"), "time"),
        (range(3), None),
        (["a", "b", "c"], None),
    ],
)
def test_an_index_of_times_is_recognized(index: Any, name: str | None) -> None:
    frame = as_frame(PANDAS.set_axis(index))
    assert frame is not None and time_index(frame) == name


def test_an_index_of_times_becomes_a_column_where_it_is_wanted() -> None:
    for index in (TIMES, TIMES.rename("when"), TIMES.to_period("h")):
        frame = as_frame(PANDAS.set_axis(index))
        assert frame is not None
        assert table_of_frame(frame, "when")["when"].to_pylist() == TIMES.to_pydatetime().tolist()
        assert "when" not in table_of_frame(frame, None).column_names
    other = as_frame(PANDAS.set_axis(TIMES.rename("other")))
    assert other is not None and "when" not in table_of_frame(other, "when").column_names


def test_names_of_columns_are_text() -> None:
    frame = as_frame(pd.DataFrame({0: [1.0], 1: [2.0]}))
    assert frame is not None and table_of_frame(frame, None).column_names == ["0", "1"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "data"),
        (pd.DataFrame({"a": [1, "x"]}), "a"),
        (pd.DataFrame({"a": [object()]}), "a"),
    ],
)
def test_frames_that_cannot_be_read_are_refused_by_name(data: Any, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        frame = as_frame(data)
        assert frame is not None
        table_of_frame(frame, None)
    assert caught.value.field == field


def test_a_table_comes_back_as_a_frame_of_the_same_library() -> None:
    table = pa.table({"score": [0.5, None, 2.0]})
    for data in (PANDAS, pl.from_pandas(PANDAS), table):
        frame = as_frame(data)
        assert frame is not None
        assert type(frame_like(table, frame, keep_index=True)) is type(data)
    frame = as_frame(PANDAS)
    assert frame is not None
    assert frame_like(table, frame, keep_index=True).index.equals(TIMES)
    assert frame_like(table, frame, keep_index=False).index.equals(pd.RangeIndex(3))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (pd.MultiIndex.from_product([["a"], TIMES], names=["machine", "time"]), "machine, time"),
        (TIMES.astype(str), "pandas.to_datetime"),
    ],
)
def test_an_index_is_not_lost_in_silence(index: Any, message: str) -> None:
    for data in (PANDAS.set_axis(index), PANDAS["heat"].set_axis(index)):
        with pytest.raises(FieldError, match=f"^index: .*{message}"):
            as_frame(data)
