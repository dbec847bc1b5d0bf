from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.patterns import (
    NOISE,
    PatternsConfig,
    generate,
    new_patterns,
    window_labels,
)
from rvae.data.windows import window_starts
from rvae.errors import FieldError

SMALL = PatternsConfig(patterns=6, channels=3, length=64, sines=4, repeats=200, noise=0.2)
CLEAN = replace(SMALL, noise=0, scatter=0)


def occurrences(config: PatternsConfig) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The occurrences (R, T, C) of a series, and the code (R,) of each."""
    values, codes = generate(config)
    codes = codes.reshape(-1, config.length)
    assert (codes == codes[:, :1]).all()
    return values.reshape(-1, config.length, config.channels), codes[:, 0]


def pattern_of_each_code(config: PatternsConfig) -> dict[int, NDArray[np.float64]]:
    windows, codes = occurrences(config)
    return {code: windows[codes == code][0] for code in set(codes.tolist())}


def sines_in(window: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many sines of whole cycles each channel (C,) of a window (T, C) holds."""
    return (np.abs(np.fft.rfft(window, axis=0)) > 1e-6).sum(axis=0)


def test_the_same_configuration_gives_the_same_bytes() -> None:
    for again, first in zip(generate(SMALL), generate(SMALL), strict=True):
        assert again.tobytes() == first.tobytes()


def test_a_series_has_a_code_for_each_step() -> None:
    values, codes = generate(SMALL)
    assert (values.shape, values.dtype) == ((200 * 64, 3), np.float64)
    assert (codes.shape, codes.dtype) == ((200 * 64,), np.int64)
    assert set(codes.tolist()) == {NOISE, 1, 2, 3, 4, 5, 6}


def test_without_options_it_is_thirty_patterns_of_seven_channels() -> None:
    config = PatternsConfig()
    values, codes = generate(config)
    assert values.shape == (config.repeats * 128, 7)
    assert set(codes.tolist()) == set(range(31))
    assert (sines_in(pattern_of_each_code(replace(config, noise=0, scatter=0))[1]) == 5).all()


def test_each_channel_of_a_pattern_is_a_sum_of_sines_of_unit_spread() -> None:
    patterns = pattern_of_each_code(CLEAN)
    assert len(patterns) == 6
    for pattern in patterns.values():
        assert (sines_in(pattern) == 4).all()
        np.testing.assert_allclose(pattern.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(pattern.std(axis=0), 1)


def test_one_code_is_one_pattern_and_no_two_codes_are_alike() -> None:
    windows, codes = occurrences(CLEAN)
    patterns = pattern_of_each_code(CLEAN)
    for window, code in zip(windows, codes.tolist(), strict=True):
        np.testing.assert_array_equal(window, patterns[code])
    ordered = np.stack([patterns[code] for code in sorted(patterns)])
    apart = np.abs(ordered[:, None] - ordered[None]).max(axis=(2, 3))
    assert (apart[~np.eye(6, dtype=bool)] > 0.5).all()


def test_patterns_depend_on_the_seed_alone() -> None:
    patterns = pattern_of_each_code(CLEAN)
    for other in ({"order_seed": 1}, {"repeats": 500}, {"noise": 0.5}):
        same = pattern_of_each_code(replace(CLEAN, **other))
        for code in patterns:
            np.testing.assert_array_equal(same[code], patterns[code])
    others = pattern_of_each_code(replace(CLEAN, seed=1))
    assert all(np.abs(others[code] - patterns[code]).max() > 0.5 for code in patterns)


def test_another_order_seed_gives_another_series() -> None:
    (values, codes), (others, other_codes) = generate(SMALL), generate(replace(SMALL, order_seed=1))
    assert (codes != other_codes).any()
    assert not np.isin(others, values).any()


@pytest.mark.parametrize(("noise", "stretches"), [(0, 0), (0.2, 40), (0.333, 67), (1, 200)])
def test_the_share_of_noise_is_what_was_asked_for(noise: float, stretches: int) -> None:
    _, codes = occurrences(replace(SMALL, noise=noise))
    assert (codes == NOISE).sum() == stretches


def test_noise_has_the_level_and_spread_of_patterns_but_no_sines() -> None:
    windows, codes = occurrences(replace(SMALL, scatter=0))
    noise = windows[codes == NOISE]
    np.testing.assert_allclose(noise.mean(axis=(0, 1)), 0, atol=0.1)
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 1, atol=0.1)
    assert all((sines_in(window) > 30).all() for window in noise)
    assert len(np.unique(noise)) == noise.size


def test_scatter_is_added_to_everything() -> None:
    windows, codes = occurrences(replace(SMALL, scatter=0.3))
    patterns = pattern_of_each_code(CLEAN)
    rest = [w - patterns[c] for w, c in zip(windows, codes.tolist(), strict=True) if c != NOISE]
    assert np.std(rest) == pytest.approx(0.3, rel=0.02)
    assert windows[codes == NOISE].std() == pytest.approx(np.hypot(1, 0.3), rel=0.02)


@pytest.mark.parametrize("window", [1, 7, 64, 100])
def test_a_windows_label_is_its_most_frequent_code(window: int) -> None:
    random = np.random.default_rng(0)
    codes = np.repeat(random.integers(0, 7, 300), random.integers(1, 9, 300))
    starts = random.permutation(window_starts(len(codes), window, 3))
    naive = [np.bincount(codes[start : start + window]).argmax() for start in starts]
    np.testing.assert_array_equal(window_labels(codes, starts, window), naive)


def test_of_codes_as_frequent_the_smallest_is_the_label() -> None:
    codes = np.array([5, 5, 2, 2, 0, 7])
    assert window_labels(codes, np.array([0, 2, 1]), 4).tolist() == [2, 2, 2]
    assert window_labels(codes, np.array([4]), 2).tolist() == [0]


@pytest.mark.parametrize(
    ("start", "window", "field"), [(-1, 3, "starts"), (8, 3, "starts"), (0, 0, "window")]
)
def test_windows_that_are_not_in_the_series_are_refused(
    start: int, window: int, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        window_labels(np.zeros(10, dtype=int), np.array([start]), window)
    assert caught.value.field == field


def test_new_patterns_are_sums_of_sines_that_the_series_does_not_hold() -> None:
    patterns = pattern_of_each_code(CLEAN)
    new = new_patterns(CLEAN)
    assert (new.shape, new.dtype) == ((6, 64, 3), np.float64)
    for pattern in new:
        assert (sines_in(pattern) == 4).all()
        np.testing.assert_allclose(pattern.std(axis=0), 1)
        assert all(np.abs(pattern - known).max() > 0.5 for known in patterns.values())


def test_new_patterns_follow_the_seed_alone() -> None:
    assert (new_patterns(CLEAN) == new_patterns(replace(CLEAN, order_seed=1))).all()
    assert not np.isin(new_patterns(CLEAN), new_patterns(replace(CLEAN, seed=1))).any()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"patterns": 0}, "patterns.patterns"),
        ({"channels": 0}, "patterns.channels"),
        ({"sines": 0}, "patterns.sines"),
        ({"sines": 17}, "patterns.sines"),
        ({"length": 39}, "patterns.sines"),
        ({"length": 7, "sines": 1}, "patterns.length"),
        ({"repeats": 0}, "patterns.repeats"),
        ({"noise": 1.1}, "patterns.noise"),
        ({"noise": -0.1}, "patterns.noise"),
        ({"scatter": -1}, "patterns.scatter"),
        ({"seed": -1}, "patterns.seed"),
        ({"order_seed": 2**32}, "patterns.order_seed"),
    ],
)
def test_impossible_options_are_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        PatternsConfig(**options)
    assert caught.value.field == field
