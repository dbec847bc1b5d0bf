"""Results in the form of the data that they are about."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from rvae.config import ReaderConfig
from rvae.data.series import Series
from rvae.inference.results import results_by_row, results_like

DATA = pd.DataFrame({"unit": ["b", "a", "b"], "heat": [1.0, 2.0, 3.0]}, index=[7, 8, 9])
READER = ReaderConfig(columns=("heat",), series="unit")


def _piece(name: str, scores: list[float]) -> dict[str, np.ndarray]:
    count = len(scores)
    return {
        "series": np.full(count, name, dtype=object),
        "step": np.arange(count),
        "score": np.array(scores),
        "is_anomaly": np.array(scores) > 1,
    }


def _series(rows: list[int] | None) -> Series:
    count = 1 if rows is None else len(rows)
    origin = None if rows is None else np.array(rows)
    return Series(np.zeros((count, 1)), rows=origin)


def test_rows_return_to_the_places_of_the_data() -> None:
    pieces = [_piece("b", [0.5, 1.5]), _piece("a", [2.5])]
    made = results_by_row(pieces, [_series([0, 2]), _series([1])], DATA, READER)
    assert made.index.tolist() == [7, 8, 9]
    assert made["unit"].tolist() == ["b", "a", "b"]
    assert made["score"].tolist() == [0.5, 2.5, 1.5]
    assert made["is_anomaly"].tolist() == [False, True, True]
    assert list(made.columns) == ["unit", "score", "is_anomaly"]


def test_rows_without_a_result_are_missing() -> None:
    made = results_by_row([_piece("b", [0.5, 1.5])], [_series([0, 2])], DATA, READER)
    assert np.isnan(made["score"][8]) and made["score"].notna().sum() == 2
    assert made["is_anomaly"].tolist() == [False, None, True]


def test_steps_that_come_from_no_single_row_have_rows_of_their_own() -> None:
    made = results_by_row([_piece("a", [2.5])], [_series(None)], DATA, READER)
    assert made.to_dict("records") == [{"unit": "a", "step": 0, "score": 2.5, "is_anomaly": True}]


def test_a_series_is_named_only_where_the_data_names_it() -> None:
    series = [_series([0])]
    assert "unit" in results_like([_piece("a", [2.5])], series, DATA, READER)
    assert "series" not in results_like([_piece("a", [2.5])], series, DATA, ReaderConfig())
    table = results_like([_piece("a", [2.5])], series, np.zeros(3), ReaderConfig())
    assert isinstance(table, pa.Table) and table["series"].to_pylist() == ["a"]


def test_pieces_between_holes_are_named_as_their_steps_count_anew() -> None:
    series = [replace(_series([0]), origin="a"), replace(_series([2]), origin="a")]
    pieces = [_piece("a/1", [2.5]), _piece("a/2", [2.5])]
    made = results_like(pieces, series, DATA, ReaderConfig())
    assert made["series"].tolist() == ["a/1", "a/2"] and made["step"].tolist() == [0, 0]
