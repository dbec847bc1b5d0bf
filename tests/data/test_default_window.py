from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import DataConfig, ReaderConfig
from rvae.data import default_window as module
from rvae.data.folds import can_leave_out
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.data.windows import min_training_steps, split


def dataset(*arrays: Any, **reader: Any) -> Dataset:
    series = [Series(values, str(i)) for i, values in enumerate(arrays)]
    names = tuple(f"c{i}" for i in range(arrays[0].shape[1]))
    return Dataset(series, names, ReaderConfig(**reader), Vocabulary({}, ()))


def default_window(data: Any, seed: int = 0, **options: Any) -> Any:
    return module.default_window(data, DataConfig("x.npy", **options), seed)


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


@pytest.mark.parametrize("held_out", [70, 20])
def test_a_period_of_the_held_out_part_has_no_say(held_out: int) -> None:
    """Three tenths of the series have another period than what is trained on."""
    training = 40
    values = np.vstack([wave(3000, training), 5 * wave(1300, held_out)])
    assert default_window(dataset(values)) == default_window(dataset(values[:3000])) == 96
    other = np.vstack([wave(3000, held_out), 5 * wave(1300, training)])
    expected = max(96, 2 * held_out)
    assert default_window(dataset(other)) == pytest.approx(expected, abs=4)


def test_series_that_are_held_out_whole_have_no_say() -> None:
    """Whichever they are: the longest ones have another period, and are dealt out first or last."""
    short, long = [wave(1500, 70)] * 20, [wave(4000, 20)] * 5
    assert default_window(dataset(*short, *long), split="order") == pytest.approx(140, abs=4)
    assert default_window(dataset(*long, *short), split="order") == 96
    for seed in range(10):
        many = dataset(*[wave(1500 + i, 70 if i % 2 else 20) for i in range(20)])
        parts = split(many.series, DataConfig("x.npy"), 100, seed)
        longest = max(parts.training, key=len)
        expected = 140 if int(longest.name) % 2 else 96
        assert default_window(many, seed=seed) == pytest.approx(expected, abs=4)


def test_between_holes_a_window_is_at_most_half_of_the_longest_piece() -> None:
    values = wave(4000, 70)
    for size, expected in ((2000, 140), (100, 50)):
        pieces = [
            Series(part, str(i), origin="0")
            for i, part in enumerate(np.split(values, 4000 // size))
        ]
        data = Dataset(pieces, ("c0",), ReaderConfig())
        assert default_window(data) == pytest.approx(expected, abs=4)
        assert module.training_period(data, DataConfig("x.npy"), 0) == pytest.approx(70, abs=2)


def test_the_period_is_none_where_there_is_none() -> None:
    assert module.training_period(dataset(np.ones((4000, 1))), DataConfig("x"), 0) is None
    assert module.training_period(dataset(wave(33, 5), layout="rows"), DataConfig("x"), 0) is None


@pytest.mark.parametrize("length", [20, 97, 300, 1000, 1791, 1792, 4001])
@pytest.mark.parametrize("shares", [(0.15, 0.15), (0.5, 0.45), (0.9, 0.05), (0.01, 0.02)])
def test_only_steps_that_are_training_are_looked_at(length: int, shares: tuple[float, ...]) -> None:
    """Of whichever window might be chosen, and so of the one that is."""
    config = DataConfig("x.npy", validation=shares[0], calibration=shares[1])
    series = [Series(wave(length, 12))]
    max_window = max(2, length // 7)
    steps = min_training_steps(series, series, config, max_window)
    for window in range(2, max_window + 1):
        # A second series, always long enough, makes every part hold a window.
        parts = split([*series, Series(wave(50_000, 9))], config, window, 0)
        assert len(parts.training[0]) >= steps > 0


def test_what_lies_beyond_the_steps_that_are_training_changes_nothing() -> None:
    values = wave(1500, 50) + np.random.default_rng(0).normal(size=(1500, 1))
    config = DataConfig("x.npy")
    chosen = default_window(dataset(values))
    steps = min_training_steps([Series(values)], [Series(values)], config, 1500 // 7)
    values[steps:] = 1e3 * wave(1500 - steps, 90)
    assert default_window(dataset(values)) == chosen


@pytest.mark.parametrize(
    ("length", "usual", "with_folds"),
    # The first is shortened once more, so that folds leave enough.
    [(700, 100, 93), (1200, 171, 109), (2000, 256, 181), (3000, 256, 256)],
)
def test_folds_take_a_shorter_window(length: int, usual: int, with_folds: int) -> None:
    data = Dataset([Series(np.sin(np.arange(length) / 40)[:, None])], ("a",), ReaderConfig())
    assert module.default_window(data, DataConfig(""), 0) == usual
    assert module.default_window(data, DataConfig(""), 0, folds=5) == with_folds


def test_a_window_is_short_enough_for_all_folds() -> None:
    data = Dataset([Series(np.sin(np.arange(500) / 40)[:, None])], ("a",), ReaderConfig())
    window = module.default_window(data, DataConfig(""), 0, folds=5)
    assert window < 500 // 7
    assert can_leave_out(data.series, DataConfig(""), window, 5)
    assert not can_leave_out(data.series, DataConfig(""), window + 1, 5)
