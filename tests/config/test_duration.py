"""Lengths of time as users write them."""

import numpy as np
import pytest

from rvae.config.duration import duration, duration_text, round_duration
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1min", 60), (" 2 h ", 7200), ("1d", 86400), ("7d", 604800)],
)
def test_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration(text, "every") == np.timedelta64(round(seconds * 1e6), "us")
    assert duration(duration_text(duration(text, "every")), "every") == duration(text, "every")


@pytest.mark.parametrize("text", ["", "1", "min", "0s", "-1min", "1.5h", "1m", "1 month", "99999d"])
def test_anything_else_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(FieldError, match="1min") as caught:
        duration(text, "reader.every")
    assert caught.value.field == "reader.every"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "1min"), (90, "90s"), (3600, "1h"), (172800, "2d"), (0.25, "250ms"), (1e-6, "1ms")],
)
def test_the_largest_unit_of_which_there_is_a_whole_number(seconds: float, text: str) -> None:
    assert duration_text(np.timedelta64(round(seconds * 1e6), "us")) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "1min"), (57, "1min"), (3601, "1h"), (100, "2min"), (80000, "1d"), (0.011, "10ms")],
)
def test_the_usual_length_that_is_closest(seconds: float, text: str) -> None:
    assert round_duration(np.timedelta64(round(seconds * 1e6), "us")) == text
