from typing import Any

import numpy as np
import pytest

from rvae.config import ModelConfig
from rvae.errors import FieldError
from rvae.serving.contract.inputs.series_input import (
    annotated_input,
    first_out_of_bounds,
    require_in_bounds,
    require_series_count,
    require_window,
)
from rvae.serving.contract.options import MAX_SERIES, Options
from tests.support.untrained import KINDS, MODE, untrained_card

CARD = KINDS["categories"]


def place(step: int, channel: int) -> str:
    return f"data[{step}][{channel}]"


def check(values: Any, absent: Any = None) -> None:
    require_in_bounds(np.array(values, dtype=float), absent, "data", place, CARD)


def test_numbers_in_bounds_and_numbers_of_categories_pass() -> None:
    low, high = (bound[0] for bound in CARD.scaler.bounds)
    check([[low, 0], [high, len(MODE["mode"])]])
    check([[np.nan, np.nan], [20, 1]], np.array([[True, True], [False, False]]))


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ([np.nan, 1], "nan"),
        ([1e30, 1], "values from"),
        ([-1e30, 1], "values from"),
        ([20, 1.5], "whole numbers"),
        ([20, 4], "whole numbers"),
        ([20, -1], "whole numbers"),
    ],
)
def test_the_first_value_that_is_out_of_bounds_is_named(odd: list[float], message: str) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        check([[20, 1], odd, odd])
    assert caught.value.field == place(1, 0 if message in ("nan", "values from") else 1)


def test_a_series_holds_a_value() -> None:
    with pytest.raises(FieldError, match="no value at all") as caught:
        check([[np.nan, np.nan]], np.ones((1, 2), dtype=bool))
    assert caught.value.field == "data"


def test_as_many_series_and_steps_as_may_be() -> None:
    require_series_count(MAX_SERIES, "instances")
    require_window(CARD.window, "data", CARD)
    with pytest.raises(FieldError):
        require_series_count(MAX_SERIES + 1, "instances")
    with pytest.raises(FieldError):
        require_window(CARD.window - 1, "data", CARD)


def test_each_series_gets_its_own_class() -> None:
    card = untrained_card(ModelConfig("dense", conditional=True), classes=("new", "old"))
    values = [np.full((8, 1), 20.0), np.full((9, 1), 21.0)]
    options = Options.parse({"label": ["old", "new"]})
    found = annotated_input(values, [True, False], True, options, card)
    assert [series.class_codes.tolist() for series in found.series] == [[1] * 8, [0] * 9]
    assert [series.name for series in found.series] == ["0", "1"]
    assert (found.flat, found.many, found.latent) == ([True, False], True, None)
    with pytest.raises(FieldError) as caught:
        annotated_input(values, [True, False], True, Options.parse({"label": ["old"]}), card)
    assert caught.value.field == "label"


def test_the_first_series_that_is_refused_is_found_at_one_look() -> None:
    random = np.random.default_rng(0)
    found = set()
    for _ in range(200):
        values = np.stack(
            [random.normal(20, 2, (4, 3)), random.integers(0, 3, (4, 3)).astype(float)], axis=2
        )
        places = random.random(values.shape)
        values[places < 0.1] = np.nan
        values[places > 0.97] = random.choice([1e30, -1e30, np.inf, 0.5, 4])
        values[random.random(4) < 0.05] = np.nan
        refused = []
        for number, one in enumerate(values):
            try:
                require_in_bounds(one, np.isnan(one), "data", place, CARD)
            except FieldError:
                refused.append(number)
        expected = min(refused, default=None)
        assert first_out_of_bounds(values, CARD) == expected
        found.add(expected)
    assert found == {None, 0, 1, 2, 3}
