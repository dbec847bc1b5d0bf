from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.default_window import default_window
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary


def dataset(*arrays: Any, **reader: Any) -> Dataset:
    series = [Series(values, str(i)) for i, values in enumerate(arrays)]
    names = tuple(f"c{i}" for i in range(arrays[0].shape[1]))
    return Dataset(series, names, ReaderConfig(**reader), Vocabulary({}, ()))


def wave(length: int, period: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * np.arange(length) / period)[:, None]


@pytest.mark.parametrize(("period", "expected"), [(70, 140), (20, 96), (220, 256)])
def test_two_periods_within_bounds(period: int, expected: int) -> None:
    assert default_window(dataset(wave(4000, period))) == pytest.approx(expected, abs=4)


def test_a_short_series_is_left_enough_windows_for_every_part() -> None:
    assert default_window(dataset(wave(300, 70))) == 300 // 7


def test_a_channel_that_does_not_vary_has_no_say() -> None:
    values = np.hstack([np.ones((4000, 1)), wave(4000, 70)])
    assert default_window(dataset(values)) == pytest.approx(140, abs=4)


def test_the_longest_series_decides() -> None:
    assert default_window(dataset(wave(500, 20), wave(4000, 70))) == pytest.approx(140, abs=4)


def test_a_row_is_a_window() -> None:
    assert default_window(dataset(wave(33, 5), layout="rows")) == 33


def test_nothing_that_varies_or_is_there_breaks_it() -> None:
    assert default_window(dataset(np.ones((4000, 1)))) == 250
    assert default_window(dataset(np.full((4000, 1), np.nan))) == 250
