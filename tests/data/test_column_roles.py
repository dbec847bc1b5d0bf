"""No column without a role, and none that is taken for another."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.config import ReaderConfig
from rvae.data.column_roles import Columns, name_list
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError

COLUMNS: dict[str, Any] = {
    "heat": [1.0, 2.0, 3.0],
    "mode": ["on", "off", "on"],
    "when": np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[us]"),
}
ALL = ReaderConfig(columns=("heat",), categorical=("mode",), time="when", ignore=())


@pytest.fixture(params=["file", "folder"])
def read_columns(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Read columns, from a file and from a folder on disk."""

    def of(columns: dict[str, Any], config: ReaderConfig, known: Any = None) -> Dataset:
        parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
        return read(tmp_path / ("t.parquet" * (request.param == "file")), config, known)

    return of


def test_a_column_without_a_role_is_refused_with_what_it_may_be(read_columns: Any) -> None:
    with pytest.raises(FieldError, match=r"--reader\.time when") as caught:
        read_columns(COLUMNS, ReaderConfig(categorical=("mode",)))
    assert caught.value.field == "when"
    assert "reader.categorical" not in caught.value.message
    with pytest.raises(FieldError, match=r"--reader\.categorical '\[\"mode\"\]'") as caught:
        read_columns(COLUMNS, ReaderConfig())
    assert caught.value.field == "mode"
    # The last fix is for all that have no role.
    fix = re.findall(r"--reader\.ignore '(.*)'", caught.value.message)
    ignore = tuple(re.findall(r'"(.*?)"', fix[0]))
    assert ignore == ("mode", "when")
    dataset = read_columns(COLUMNS, ReaderConfig(ignore=ignore))
    assert (dataset.channels, dataset.source.ignore) == (("heat",), ignore)


def test_naming_the_channels_leaves_out_the_others(read_columns: Any) -> None:
    dataset = read_columns(COLUMNS, ReaderConfig(columns=("heat",)))
    assert dataset.source.ignore == ("mode", "when")
    again = read_columns(COLUMNS, dataset.source)
    assert again.source == dataset.source


@pytest.mark.parametrize("values", [[0, 1, 0], [-1, 1, 1], [True, False, True], [0, 0, 0]])
def test_labels_are_no_channel_unless_they_are_named(read_columns: Any, values: list[Any]) -> None:
    columns = {"heat": [1.0, 2.0, 3.0], "Is_Anomaly": values}
    with pytest.raises(FieldError, match=r"--reader\.label Is_Anomaly") as caught:
        read_columns(columns, ReaderConfig())
    assert caught.value.field == "Is_Anomaly"
    both = ReaderConfig(classes="Is_Anomaly", normal=("1",))  # -1 and 1 are not zero
    for config, channels in (
        (both if -1 in values else ReaderConfig(label="Is_Anomaly"), ("heat",)),
        (ReaderConfig(ignore=("Is_Anomaly",)), ("heat",)),
        (ReaderConfig(columns=("Is_Anomaly", "heat")), ("Is_Anomaly", "heat")),
    ):
        assert read_columns(columns, config).channels == channels


def test_measurements_may_have_a_name_of_labels(read_columns: Any) -> None:
    assert read_columns({"target": [20.5, 21, 22]}, ReaderConfig()).channels == ("target",)


def test_columns_are_found_by_name_in_any_order(read_columns: Any) -> None:
    known = Vocabulary({"mode": ("off", "on")})
    swapped = {name: COLUMNS[name] for name in reversed(COLUMNS)} | {"mode": ["off"] * 3}
    dataset = read_columns(swapped, ALL, known)
    np.testing.assert_array_equal(np.asarray(dataset.series[0].values), [[1, 1], [2, 1], [3, 1]])


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"heat": None}, "reader.columns", "'heat'"),
        ({"heat": None, "Heat": [1.0] * 3}, "reader.columns", "did you mean 'Heat'"),
        ({"mode": None, "mood": ["on"] * 3}, "reader.categorical", "did you mean 'mood'"),
        ({"when": None}, "reader.time", "'when'"),
        ({"speed": [1.0] * 3}, "reader.ignore", "'speed'"),
        ({"note": ["x"] * 3}, "reader.ignore", "'note'"),
        ({"heat": ["a"] * 3}, "reader.columns", "not numeric"),
        ({"mode": [0.5] * 3}, "reader.categorical", "off, on"),
        ({"when": [True] * 3}, "when", "bool"),
    ],
)
def test_what_differs_from_the_training_file_is_named(
    read_columns: Any, change: dict[str, Any], field: str, said: str
) -> None:
    columns = {n: values for n, values in (COLUMNS | change).items() if values is not None}
    with pytest.raises(FieldError, match=said) as caught:
        read_columns(columns, ALL, Vocabulary({"mode": ("off", "on")}))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_a_channel_of_which_nothing_was_measured_is_missing(read_columns: Any) -> None:
    columns = {"heat": pa.nulls(2), "speed": [1.0, 2.0]}
    dataset = read_columns(columns, ReaderConfig(columns=("heat", "speed")))
    np.testing.assert_array_equal(np.asarray(dataset.series[0].values), [[np.nan, 1], [np.nan, 2]])


def test_a_model_of_categories_alone_takes_no_number_for_a_channel(read_columns: Any) -> None:
    config = ReaderConfig(categorical=("mode",), ignore=("when",))
    source = read_columns({name: COLUMNS[name] for name in ("mode", "when")}, config).source
    with pytest.raises(FieldError, match="'heat'"):
        read_columns(COLUMNS, source)


def test_a_column_without_a_name_can_have_a_role() -> None:
    times = pa.schema([("", pa.timestamp("us")), ("heat", pa.float64())])
    columns = Columns.of(times, ReaderConfig(time=""), "t.csv")
    assert columns.needed == ["heat", ""]
    counter = pa.schema([("", pa.int64()), ("heat", pa.float64())])
    with pytest.raises(FieldError, match=r"--reader\.ignore '\[\"\"\]'"):
        Columns.of(counter, ReaderConfig(), "t.csv")
    assert Columns.of(counter, ReaderConfig(ignore=("",)), "t.csv").channels == ("heat",)


def test_names_are_quoted_for_a_shell() -> None:
    assert name_list(["a b", "c'd"]) == '\'["a b", "c\'"\'"\'d"]\''
