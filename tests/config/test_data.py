"""Nonsense in a section is refused by the name of its field."""

from collections.abc import Callable
from typing import Any

import pytest

from rvae.config import DataConfig, ReaderConfig
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("data.window", lambda: DataConfig("x.csv", window=1)),
        ("data.stride", lambda: DataConfig("x.csv", stride=0)),
        ("data.validation", lambda: DataConfig("x.csv", validation=0.0)),
        ("data.validation", lambda: DataConfig("x.csv", validation=0.6, calibration=0.4)),
        ("data.units", lambda: DataConfig("x.csv", units={"heat": ""})),
        ("data.units", lambda: DataConfig("x.csv", units={"heat": "°C", "speed": " "})),
        ("data.units", lambda: DataConfig("x.csv", units={"heat": "m" * 41})),
        ("data.calibration", lambda: DataConfig("x.csv", calibration=1.0)),
        ("reader.columns", lambda: ReaderConfig(columns=())),
        ("reader.columns", lambda: ReaderConfig(columns=("a", "a"))),
        ("reader.label", lambda: ReaderConfig(columns=("a", "b"), label="b")),
        ("reader.series", lambda: ReaderConfig(columns=("a", "b"), series="a")),
        ("reader.categorical", lambda: ReaderConfig(columns=("a",), categorical=("b", "a"))),
        ("reader.time", lambda: ReaderConfig(categorical=("b",), time="b")),
        ("reader.normal", lambda: ReaderConfig(label="a", normal=("1",))),
    ],
)
def test_nonsense_names_its_field(field: str, make: Callable[..., Any]) -> None:
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field
