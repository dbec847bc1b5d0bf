"""Columns of times."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rvae.data.times import timestamps
from rvae.errors import FieldError

START = 1767225600  # 2026-01-01


def times(cells: Any, written: str | None = None) -> list[str | None]:
    column = cells if isinstance(cells, pa.Array) else pa.array(cells)
    found = timestamps(pa.table({"when": column}), "when", written)
    assert found.dtype == "datetime64[us]"
    return [None if np.isnat(time) else str(time.astype("datetime64[ms]")) for time in found]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["31.01.2026 12:00", "01.02.2026 9:30"], ["2026-01-31T12:00", "2026-02-01T09:30"]),
        (["31/01/2026", "01/02/2026"], ["2026-01-31", "2026-02-01"]),
        (["01/02/2026", "01/31/2026"], ["2026-01-02", "2026-01-31"]),
        (["1-31-2026", "2-1-2026"], ["2026-01-31", "2026-02-01"]),
        (["2026/01/02", "2026/01/03 10:00"], ["2026-01-02", "2026-01-03T10:00"]),
        (["01.02.2026", "02.02.2026"], ["2026-02-01", "2026-02-02"]),
        (["1/31/2026 12:05 AM", "1/31/2026 12:05 pm"], ["2026-01-31T00:05", "2026-01-31T12:05"]),
        (["31.01.2026 12:00:00,25", "31.01.2026 12:00:01.5"],
         ["2026-01-31T12:00:00.250", "2026-01-31T12:00:01.500"]),
        (["31/01/2026T12:00:00+02:00", "31/01/2026 12:00:00Z"],
         ["2026-01-31T10:00", "2026-01-31T12:00"]),
        (["31/01/2026 12:00-0330", None], ["2026-01-31T15:30", None]),
        (["29.02.2028", "", "NA"], ["2028-02-29", None, None]),
        (["2026-01-31T12:00:00", "NA"], ["2026-01-31T12:00", None]),
    ],
)  # fmt: skip
def test_common_formats_are_found(cells: list[str], expected: list[str | None]) -> None:
    wanted = [
        None if t is None else str(np.datetime64(t).astype("datetime64[ms]")) for t in expected
    ]
    assert times(cells) == wanted


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
def test_numbers_count_from_1970_in_the_unit_of_their_magnitude(per_second: int) -> None:
    assert times([START * per_second, None, (START + 60) * per_second]) == [
        "2026-01-01T00:00:00.000",
        None,
        "2026-01-01T00:01:00.000",
    ]


def test_seconds_may_have_any_type_of_numbers() -> None:
    early = 86400 * 512
    for kind in (pa.int32(), pa.uint32(), pa.uint64(), pa.float32(), pa.float64()):
        assert times(pa.array([early, None]).cast(kind, safe=False)) == [
            "1971-05-28T00:00:00.000",
            None,
        ]
    for kind in (pa.int8(), pa.uint8(), pa.int16()):
        with pytest.raises(FieldError, match="1 in row 1 is no time"):
            times(pa.array([None, 1], kind))


def test_seconds_may_have_decimals() -> None:
    assert times([START + 0.25, float("nan")]) == ["2026-01-01T00:00:00.250", None]


@pytest.mark.parametrize(
    ("cells", "written", "expected"),
    [
        (["01/02/26 10h", None], "%d/%m/%y %Hh", ["2026-02-01T10:00:00.000", None]),
        ([20260131], "%Y%m%d", ["2026-01-31T00:00:00.000"]),
        (["31.01.2026 12:00:00.250"], "%d.%m.%Y %H:%M:%S.%f", ["2026-01-31T12:00:00.250"]),
        (["31.01.2026 12:00 +0200"], "%d.%m.%Y %H:%M %z", ["2026-01-31T10:00:00.000"]),
    ],
)
def test_a_stated_format_counts(cells: list[Any], written: str, expected: list[str]) -> None:
    assert times(cells, written) == expected


@pytest.mark.parametrize(
    ("cells", "culprit"),
    [
        (["31.01.2026", "32.01.2026"], "'32.01.2026' in row 1 is no date"),
        (["31.01.2026", "30.02.2026"], "'30.02.2026' in row 1 is no date"),
        (["31.01.2026", "00.02.2026"], "'00.02.2026' in row 1 is no date"),
        (["2026/01/31", "2026/13/01"], "'2026/13/01' in row 1 is no date"),
        (["31/01/2026", "01/31/2026"], "'01/31/2026' in row 1 is no date with"),
        (["31/01/2026", "2026/01/31"], "'2026/01/31' in row 1 has its year"),
        (["31.01.26"], "'31.01.26' in row 0 has no year of four digits"),
        (["31.01.2026 24:00"], "in row 0 is no time"),
        (["31.01.2026 13:00 PM"], "in row 0 is no time"),
        (["2026-01-31", "soon"], "'soon' in row 1 is no time"),
        (["31/01/2026 12:00Z", "31/01/2026 13:00"], "in row 1 has not the zone"),
        ([1, 2], "1 in row 0 is no time: expected"),
        ([START, START * 1000], f"{START * 1000} in row 1 is no time in seconds"),
        ([START * 1000, START], f"{START} in row 1 is no time in milliseconds"),
        ([0.5], "0.5 in row 0 is no time"),
        (["03/04/2026 12:00:00.5 +0100", "05/04/2026 12:00:00.5 +0100"],
         "'%d/%m/%Y %H:%M:%S.%f%z' or '%m/%d/%Y %H:%M:%S.%f%z'"),
        (["03/04/2026 1:00 PM"], "'%d/%m/%Y %I:%M %p' or '%m/%d/%Y %I:%M %p'"),
    ],
)  # fmt: skip
def test_a_bad_time_is_shown(cells: list[Any], culprit: str) -> None:
    with pytest.raises(FieldError) as caught:
        times(cells)
    assert caught.value.field == "when"
    assert culprit in caught.value.message


def test_a_time_that_is_not_as_stated_is_shown() -> None:
    with pytest.raises(FieldError, match=r"'2026-01-31' in row 1 is not written as '%d.%m.%Y'"):
        times(["31.01.2026", "2026-01-31"], "%d.%m.%Y")


def test_other_types_are_no_times() -> None:
    with pytest.raises(FieldError, match="holds bool"):
        times([True])
