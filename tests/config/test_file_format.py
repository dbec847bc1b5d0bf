"""How files are written, as users state it."""

from dataclasses import asdict
from typing import Any

import pytest

from rvae.config import FileFormat, ReaderConfig
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"separator": "ab"}, "separator"),
        ({"separator": "x"}, "separator"),
        ({"separator": '"'}, "separator"),
        ({"thousands": "-"}, "thousands"),
        ({"decimal": ",", "thousands": ","}, "thousands"),
        ({"encoding": "utf-7000"}, "encoding"),
        ({"encoding": "rot13"}, "encoding"),
        ({"skip": -1}, "skip"),
        ({"time_format": "dd.mm.yyyy"}, "time_format"),
    ],
)
def test_what_cannot_be_is_refused(stated: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        FileFormat(**stated)
    assert caught.value.field == f"reader.format.{field}"


def test_what_is_stated_later_counts() -> None:
    first = FileFormat(separator=";", decimal=",", header=True)
    later = FileFormat(separator="tab", header=False, thousands="")
    assert first.updated(later) == FileFormat("tab", ",", "", header=False)
    assert first.updated(FileFormat()) == first


def test_a_card_keeps_what_is_stated_and_an_older_card_states_nothing() -> None:
    config = ReaderConfig(time="when", format=FileFormat(";", time_format="%d.%m.%Y"))
    kept = asdict(config)
    assert ReaderConfig(**kept) == config
    del kept["format"]
    assert ReaderConfig(**kept) == ReaderConfig(time="when")
