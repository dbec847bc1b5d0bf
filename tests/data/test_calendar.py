from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.calendar import CYCLES, calendar_features


def features(*times: Any, cycles: Sequence[str] = tuple(CYCLES)) -> NDArray[np.float32]:
    return calendar_features(np.array(times, "datetime64[us]"), cycles)


@pytest.mark.parametrize(
    ("cycle", "time", "turn"),
    [
        ("hour", "2026-03-04T05:00", 0),
        ("hour", "2026-03-04T05:15", 1 / 4),
        ("hour", "1969-12-31T23:30", 1 / 2),
        ("day", "2026-03-04T00:00", 0),
        ("day", "2026-03-04T12:00", 1 / 2),
        ("day", "1931-03-04T18:00", 3 / 4),
        ("week", "2026-01-05T00:00", 0),  # a Monday
        ("week", "1969-07-21T00:00", 0),  # another
        ("week", "2024-02-29T12:00", 3.5 / 7),  # a Thursday
        ("week", "2026-01-04T18:00", 6.75 / 7),
    ],
)
def test_known_dates_are_where_they_should_be(cycle: str, time: str, turn: float) -> None:
    (found,) = features(time, cycles=[cycle])
    angle = 2 * np.pi * turn
    np.testing.assert_allclose(found, [np.sin(angle), np.cos(angle)], atol=1e-6)


@pytest.mark.parametrize("year", [1970, 1999, 2000, 2024, 2026, 2100])
def test_the_year_begins_at_its_beginning(year: int) -> None:
    """But for the day or two by which leap years shift it."""
    for date, turn in ((f"{year}-01-01", 0), (f"{year}-07-02T12:00", 1 / 2)):
        sine, cosine = features(date, cycles=["year"])[0]
        apart = (np.arctan2(sine, cosine) / (2 * np.pi) - turn + 0.5) % 1 - 0.5
        assert abs(apart) * 365 < 2


@pytest.mark.parametrize(
    ("cycle", "border"),
    [
        ("hour", "2026-05-05T07:00"),
        ("day", "2026-05-05"),
        ("week", "2026-05-04"),
        ("year", "2026-01-01"),
    ],
)
def test_no_cycle_jumps_where_it_begins_anew(cycle: str, border: str) -> None:
    around = np.datetime64(border, "us") + np.arange(-50, 50) * np.timedelta64(1, "s")
    found = features(*around, cycles=[cycle])
    assert np.abs(np.diff(found, axis=0)).max() < 2e-3
    np.testing.assert_allclose((found**2).sum(axis=1), 1, rtol=1e-5)


def test_cycles_stand_in_the_order_that_was_asked_for() -> None:
    times = np.array([["2026-01-05T06:00", "2026-01-06"], ["2026-02-01", "2026-02-02"]], "M8[us]")
    both = calendar_features(times, ("week", "day"))
    assert both.shape == (2, 2, 4)
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[..., :2], calendar_features(times, ["week"]))
    np.testing.assert_array_equal(both[..., 2:], calendar_features(times, ["day"]))
    assert calendar_features(times, ()).shape == (2, 2, 0)


def test_the_unit_of_the_times_does_not_matter() -> None:
    times = np.array(["2026-01-05T06:00", "2026-07-07T17:30"], "datetime64[s]")
    expected = calendar_features(times, tuple(CYCLES))
    for unit in ("m", "ms", "us", "ns"):
        found = calendar_features(times.astype(f"datetime64[{unit}]"), tuple(CYCLES))
        np.testing.assert_array_equal(found, expected)
