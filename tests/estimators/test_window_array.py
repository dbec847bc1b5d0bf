from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from rvae.estimators.window_array import window_array

ROWS = np.arange(24.0).reshape(6, 4)
NAN = np.nan


def windows_of(X: Any, fitted_to: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    estimator = BaseEstimator()
    if fitted_to is not None:
        window_array(estimator, fitted_to, fitting=True)
    return window_array(estimator, X, fitting=fitted_to is None)


@pytest.mark.parametrize(
    "X",
    [
        ROWS,
        ROWS.astype(np.float32),
        ROWS.astype(int),
        ROWS.tolist(),
        list(ROWS),
        tuple(ROWS),
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).astype("Int64"),
        pl.DataFrame(ROWS),
        [pl.Series(row) for row in ROWS],
    ],
)
def test_every_form_gives_the_same_windows(X: Any) -> None:
    windows = windows_of(X)
    assert windows.dtype == np.float64
    np.testing.assert_array_equal(windows, ROWS)


def test_a_list_of_multivariate_series_is_three_dimensional() -> None:
    cube = np.arange(48.0).reshape(6, 4, 2)
    np.testing.assert_array_equal(windows_of(list(cube)), cube)
    np.testing.assert_array_equal(windows_of([*cube[:5], cube[5, :3]])[:5], cube[:5])


def test_shorter_series_end_with_missing_values() -> None:
    ragged = [[1, 2, 3, 4], [5, 6], [7.0], np.array([8, NAN, 9])]
    expected = [[1, 2, 3, 4], [5, 6, NAN, NAN], [7, NAN, NAN, NAN], [8, NAN, 9, NAN]]
    np.testing.assert_array_equal(windows_of(ragged), expected)
    # For a fitted model even if all of them are equally short.
    np.testing.assert_array_equal(windows_of([[1, 2], [3, 4]], ROWS)[1], [3, 4, NAN, NAN])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (ROWS[:3], "3 sample"),
        (ROWS[:, :1], "1 feature"),
        (ROWS[0], "Reshape your data"),
        (np.zeros((6, 1, 2)), "X: needs at least 2 time points"),
        (np.zeros((6, 4, 0)), "X: needs at least 1 channels"),
        (np.zeros((6, 4, 2, 2)), "X: expected .* got \\(6, 4, 2, 2\\)"),
        (np.where(ROWS == 5, np.inf, ROWS), "infinity"),
        (np.where(np.arange(6)[:, None] == 2, NAN, ROWS), "X: window 2 has no value"),
        ([[1, 2], [3], ["a", "b", "c"], [4]], r"X\[2\]: is not a series of numbers"),
        ([np.ones((2, 2)), np.ones((3, 1)), [1, 2], [3]], "X: its series have different channels"),
        ([np.ones((2, 2, 2)), np.ones((3, 2, 2)), [1, 2], [3]], r"X\[0\]: must be"),
        (["one", "two", "three", "four"], "string"),
    ],
)
def test_what_is_wrong_is_named(X: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        windows_of(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (ROWS[:, :3], "3 features, but .* expecting 4 features"),
        ([[1, 2, 3, 4, 5], [6]], r"X\[0\]: has 5 time points, the windows of this model have 4"),
    ],
)
def test_windows_of_another_length_are_refused_once_fitted(X: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        windows_of(X, ROWS)
