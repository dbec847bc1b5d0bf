"""Columns of tables that are more than numbers."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from rvae.config import ReaderConfig
from rvae.data.readers import read
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError

NAN = np.nan
TIMES = ["2026-01-31T12:00:00", "2026-01-31T13:00:00", "2026-02-01T00:00:00"]


@pytest.fixture(params=["csv", "parquet"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Write columns as a table of either kind."""

    def write(**columns: Any) -> Path:
        table, path = pa.table(columns), tmp_path / f"t.{request.param}"
        if request.param == "csv":
            # Other than Parquet it knows no words but plain ones.
            plain = [
                column.cast(column.type.value_type)
                if pa.types.is_dictionary(column.type)
                else column
                for column in table.columns
            ]
            csv.write_csv(pa.table(plain, table.column_names), path)
        else:
            parquet.write_table(table, path)
        return path

    return write


@pytest.mark.parametrize(
    ("column", "words", "codes"),
    [
        (["b", "a", None, "b"], ("a", "b"), [2, 1, NAN, 2]),
        (["b", "a", "", "b"], ("a", "b"), [2, 1, NAN, 2]),
        ([10, 9, None, 10], ("9", "10"), [2, 1, NAN, 2]),
        ([1.0, 0.0, None, 1.0], ("0", "1"), [2, 1, NAN, 2]),
        ([True, False, None, True], ("false", "true"), [2, 1, NAN, 2]),
        (pa.array(["b", "a", None, "b"]).dictionary_encode(), ("a", "b"), [2, 1, NAN, 2]),
        ([" b", "a, c", None, " b"], (" b", "a, c"), [1, 2, NAN, 1]),
        ([date(2026, 1, 2), date(2026, 1, 1), None, date(2026, 1, 2)],
         ("2026-01-01", "2026-01-02"), [2, 1, NAN, 2]),
    ],
    ids=["text", "empty", "integers", "floats", "booleans", "dictionary", "odd text", "dates"],
)  # fmt: skip
def test_categories_are_numbered_whatever_their_type(
    written: Callable[..., Any],
    column: list[Any] | pa.Array,
    words: tuple[str, ...],
    codes: list[float],
) -> None:
    path = written(mode=column, heat=[1.0, 2.0, 3.0, 4.0])
    dataset = read(path, ReaderConfig(categorical=("mode",)))
    assert dataset.channels == ("heat", "mode")
    assert dataset.vocabulary == Vocabulary({"mode": words})
    np.testing.assert_array_equal(dataset.series[0].values[:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(dataset.series[0].values[:, 1], codes)


def test_a_category_is_the_same_whatever_else_is_in_its_column(written: Callable[..., Any]) -> None:
    """One odd cell turns a column of numbers or truth values into text."""
    config = ReaderConfig(columns=("heat",), categorical=("mode", "open"))
    heat = [1.0, 2.0, 3.0]
    trained = read(written(mode=[1, 2, 3], open=[True, False, True], heat=heat), config)
    odd = written(mode=["1.0", "x", "03"], open=["True", "false", "perhaps"], heat=heat)
    values = read(odd, config, trained.vocabulary).series[0].values
    np.testing.assert_array_equal(values, [[1, 1, 2], [2, 0, 1], [3, 3, 0]])


def test_what_a_model_does_not_know_is_unknown(written: Callable[..., Any]) -> None:
    config = ReaderConfig(columns=("heat",), categorical=("mode",), classes="kind")
    known = Vocabulary({"mode": ("off", "on")}, ("p", "q"))
    path = written(mode=["on", "stuck", None], kind=["q", "r", None], heat=[1.0, 2.0, 3.0])
    dataset = read(path, config, known)
    assert dataset.vocabulary is known
    np.testing.assert_array_equal(dataset.series[0].values[:, 1], [2, 0, NAN])
    np.testing.assert_array_equal(dataset.series[0].classes, [1, -1, -1])


def test_categories_alone_are_channels(written: Callable[..., Any]) -> None:
    path = written(mode=["a", "b"], door=["open", "open"])
    dataset = read(path, ReaderConfig(categorical=("door", "mode")))
    assert dataset.channels == ("door", "mode")
    np.testing.assert_array_equal(dataset.series[0].values, [[1, 1], [1, 2]])


def test_more_categories_than_can_be_told_apart_are_refused(written: Callable[..., Any]) -> None:
    path = written(name=[f"n{i}" for i in range(1001)], heat=np.arange(1001.0))
    with pytest.raises(FieldError, match="1001 different entries") as caught:
        read(path, ReaderConfig(categorical=("name",)))
    assert caught.value.field == "name"


def test_what_makes_no_categories_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"mode": [[1], [2]], "heat": [1.0, 2.0]}), tmp_path / "t.parquet")
    with pytest.raises(FieldError) as caught:
        read(tmp_path / "t.parquet", ReaderConfig(categorical=("mode",)))
    assert caught.value.field == "mode"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (TIMES, TIMES),
        ([t + "Z" for t in TIMES], TIMES),
        (["2026-01-31T12:00:00+02:00", "2026-01-31T13:00:00+02:00", "2026-01-31T13:00:00+01:00"],
         ["2026-01-31T10:00:00", "2026-01-31T11:00:00", "2026-01-31T12:00:00"]),
        (["2026-01-30", "2026-01-31", "2026-02-01"], ["2026-01-30", "2026-01-31", "2026-02-01"]),
        (["2026-01-31 12:00:00.25", "2026-01-31 12:00:00.5", "2026-01-31 12:00:01"],
         ["2026-01-31T12:00:00.25", "2026-01-31T12:00:00.5", "2026-01-31T12:00:01"]),
    ],
    ids=["naive", "utc", "zones", "dates", "fractions"],
)  # fmt: skip
def test_timestamps_are_without_zone_or_in_utc(
    written: Callable[..., Any], column: list[str], expected: list[str]
) -> None:
    path = written(when=column, heat=[1.0, 2.0, 3.0])
    (series,) = read(path, ReaderConfig(time="when", holes="keep")).series
    np.testing.assert_array_equal(series.times, np.array(expected, "datetime64[us]"))
    assert series.clock().dtype == "datetime64[us]"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_timestamps_of_any_unit_and_zone(tmp_path: Path, unit: str, zone: str | None) -> None:
    when = pa.array([datetime.fromisoformat(t) for t in TIMES]).cast(pa.timestamp(unit))
    column = when.cast(pa.int64()).cast(pa.timestamp(unit, zone))  # the moment is in UTC
    parquet.write_table(pa.table({"when": column, "heat": [1.0, 2, 3]}), tmp_path / "t.parquet")
    (series,) = read(tmp_path / "t.parquet", ReaderConfig(time="when", holes="keep")).series
    np.testing.assert_array_equal(series.times, np.array(TIMES, "datetime64[us]"))


@pytest.mark.parametrize(
    ("column", "field"),
    [
        (TIMES[::-1], "reader.time"),
        ([TIMES[0], TIMES[0], TIMES[1]], "reader.time"),
        ([TIMES[0], None, TIMES[1]], "reader.time"),
        ([1, 2, 3], "when"),
        ([1.5, 2.5, 3.5], "when"),
        ([True, False, True], "when"),
        (["01/02/2026", "02/02/2026", "03/02/2026"], "when"),
        (["soon", "later", "never"], "when"),
        (["12:00:00", "13:00:00", "14:00:00"], "when"),
        ([TIMES[0], TIMES[1] + "Z", TIMES[2]], "when"),
    ],
)
def test_what_are_no_rising_timestamps_is_refused(
    written: Callable[..., Any], column: list[Any], field: str
) -> None:
    path = written(when=column, heat=[1.0, 2.0, 3.0])
    with pytest.raises(FieldError) as caught:
        read(path, ReaderConfig(time="when"))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_times_must_rise_within_each_series_alone(written: Callable[..., Any]) -> None:
    path = written(
        when=[TIMES[1], TIMES[0], TIMES[2], TIMES[1]], who=list("abab"), heat=[1.0, 2, 3, 4]
    )
    a, b = read(path, ReaderConfig(time="when", series="who")).series
    np.testing.assert_array_equal(a.times, np.array([TIMES[1], TIMES[2]], "datetime64[us]"))
    np.testing.assert_array_equal(b.values, [[2], [4]])
    with pytest.raises(FieldError, match="after step 0"):
        read(path, ReaderConfig(time="when", ignore=("who",)))


def test_classes_stand_beside_steps_and_not_among_channels(written: Callable[..., Any]) -> None:
    path = written(kind=[3, 3, 1, None], heat=[1.0, 2, 3, 4])
    dataset = read(path, ReaderConfig(classes="kind"))
    assert dataset.channels == ("heat",)
    assert dataset.vocabulary.classes == ("1", "3")
    np.testing.assert_array_equal(dataset.series[0].classes, [1, 1, 0, -1])
    assert dataset.series[0].labels is None


def test_a_row_that_is_a_series_has_one_class(written: Callable[..., Any]) -> None:
    path = written(kind=["b", "a"], t0=[1.0, 2.0], t1=[3.0, 4.0])
    dataset = read(path, ReaderConfig(layout="rows", classes="kind", normal=("a",)))
    assert [s.values.tolist() for s in dataset.series] == [[[1], [3]], [[2], [4]]]
    assert [s.classes.tolist() for s in dataset.series] == [[1, 1], [0, 0]]
    assert [s.labels.tolist() for s in dataset.series] == [[True, True], [False, False]]


@pytest.mark.parametrize("spelling", ["1", "1.0"])
def test_all_classes_but_the_normal_ones_mark_anomalies(
    written: Callable[..., Any], spelling: str
) -> None:
    path = written(kind=[1, 2, 3, None], heat=[1.0, 2, 3, 4])
    dataset = read(path, ReaderConfig(classes="kind", normal=(spelling, "3")))
    np.testing.assert_array_equal(dataset.series[0].labels, [False, True, False, True])


def test_a_normal_class_must_be_known_but_need_not_occur(written: Callable[..., Any]) -> None:
    config = ReaderConfig(classes="kind", normal=("p", "q"))
    path = written(kind=["p", "r"], heat=[1.0, 2.0])
    with pytest.raises(FieldError, match="no class 'q'") as caught:
        read(path, config)
    assert caught.value.field == "reader.normal"
    (series,) = read(path, config, Vocabulary({}, ("p", "q"))).series
    np.testing.assert_array_equal(series.labels, [False, True])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"categorical": ("none",)}, "reader.categorical"),
        ({"time": "none"}, "reader.time"),
        ({"classes": "none"}, "reader.classes"),
        ({"normal": ("a",), "columns": ("heat",)}, "reader.normal"),
        ({"columns": ("mode",)}, "reader.columns"),
        ({"layout": "rows", "categorical": ("mode",), "ignore": ("when",)}, "reader.categorical"),
        ({"layout": "rows", "time": "when", "ignore": ("mode",)}, "reader.time"),
        ({"ignore": ("non",)}, "reader.ignore"),
    ],
)
def test_options_that_do_not_fit_the_table_are_named(
    written: Callable[..., Any], options: dict[str, Any], field: str
) -> None:
    path = written(mode=["a", "b"], when=TIMES[:2], heat=[1.0, 2.0])
    with pytest.raises(FieldError) as caught:
        read(path, ReaderConfig(**options))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
