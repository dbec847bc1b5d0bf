"""Columns of tables → times."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rvae.data.cells import CellError
from rvae.data.number_marks import MISSING
from rvae.errors import FieldError

__all__ = ["timestamps"]

Times = NDArray[np.datetime64]  # (N,), in microseconds, NaT where missing

EXPECTED = (
    "expected times such as 2026-01-31T12:00:00, or seconds since 1970, of the years 1971 to 2199"
)

# Plausible times, as seconds since 1970; those in other units have other magnitudes.
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1971, 2200))
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}

ZONE = r":.*(Z|[-+]\d\d(:?\d\d)?)$"  # the colon rules out a date alone, which ends alike

DATE = (
    r"^\s*(?P<first>\d{1,4})(?P<mark>[-/.])(?P<second>\d{1,2})[-/.](?P<third>\d{1,4})"
    r"(?:(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<whole>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|[-+]\d{2}(?::?\d{2})?)?)?\s*$"
)


def timestamps(table: pa.Table, name: str, written: str | None = None) -> Times:
    """A column of times (N,) in microseconds, in UTC if they have a zone, NaT where missing.

    Args:
        table: Any table.
        name: Column with timestamps, dates, numbers that count from 1970, or text.
        written: How text is written, in the codes of `strptime`; found if None.

    Raises:
        FieldError: If it holds something else, or text that can be read in two ways.
    """
    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zoned = pa.types.is_timestamp(kind) and kind.tz is not None
        column = column.cast(pa.timestamp("us", "UTC") if zoned else pa.timestamp("us"), safe=False)
        return column.cast(pa.timestamp("us")).to_numpy()
    if written is not None and (pa.types.is_integer(kind) or _is_text(kind)):
        return _of_format(column.cast(pa.string()), name, written)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _of_numbers(column, name)
    if not _is_text(kind):
        raise FieldError(name, f"holds {kind}, {EXPECTED}")
    return _of_text(column.cast(pa.string()), name)


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string))


def _of_numbers(column: pa.ChunkedArray, name: str) -> Times:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, by magnitude."""
    known = column.is_valid().to_numpy()
    # Small types cannot hold the bounds.
    whole = pa.types.is_integer(column.type)
    column = column.cast(pa.int64() if whole else pa.float64(), safe=False)
    numbers = column.fill_null(FIRST).to_numpy()
    if numbers.dtype.kind == "f":
        known &= ~np.isnan(numbers)
    start = int(np.argmax(known))
    first = numbers[start]
    unit = next((u for u, n in UNITS.items() if FIRST * n <= first < LAST * n), "seconds")
    per_second = UNITS[unit]
    plausible = (numbers >= FIRST * per_second) & (numbers < LAST * per_second)
    odd = known & ~plausible
    if odd.any():
        row = int(np.argmax(odd))
        problem = f"is no time in {unit} since 1970, as the first one is"
        if row == start:
            problem = f"is no time: {EXPECTED}"
        raise CellError(name, numbers[row].item(), row, problem)
    if numbers.dtype.kind == "f":
        times = np.round(np.where(known, numbers, 0) * (10**6 / per_second)).astype(np.int64)
    elif per_second > 10**6:
        times = numbers // (per_second // 10**6)
    else:
        times = numbers * (10**6 // per_second)
    return np.where(known, times.view("datetime64[us]"), np.datetime64("NaT"))


def _of_format(column: pa.ChunkedArray, name: str, written: str) -> Times:
    times: list[datetime | None] = []
    for row, cell in enumerate(column.to_pylist()):
        if cell is None or cell in MISSING:
            times.append(None)
            continue
        try:
            moment = datetime.strptime(cell.strip(), written)
        except ValueError:
            raise CellError(name, cell, row, f"is not written as {written!r}") from None
        zoned = moment.tzinfo is not None
        times.append(moment.astimezone(UTC).replace(tzinfo=None) if zoned else moment)
    return np.array(times, dtype="datetime64[us]")


def _of_text(column: pa.ChunkedArray, name: str) -> Times:
    missing = pc.is_in(column, pa.array([*MISSING, None], pa.string()))
    column = pc.if_else(missing, None, column)
    zoned = bool(pc.all(pc.match_substring_regex(column, ZONE)).as_py())
    try:
        # Most are written as ISO 8601 says.
        times = column.cast(pa.timestamp("us", "UTC") if zoned else pa.timestamp("us"))
        return times.cast(pa.timestamp("us")).to_numpy()
    except pa.ArrowException:
        pass
    parts = pc.extract_regex(column, DATE)
    known = ~missing.to_numpy()
    odd = known & parts.is_null().to_numpy()
    if odd.any():
        row = int(np.argmax(odd))
        raise CellError(name, column[row].as_py(), row, f"is no time: {EXPECTED}")
    return _Dates(column, name, known, parts).times()


class _Dates:
    """Text that consists of dates, and perhaps times of day, in one order of their parts."""

    def __init__(
        self, column: pa.ChunkedArray, name: str, known: NDArray[np.bool_], parts: pa.ChunkedArray
    ) -> None:
        self.column, self.name, self.known = column, name, known
        self.parts: Mapping[str, pa.ChunkedArray] = {
            field.name: pc.struct_field(parts, field.name).fill_null("") for field in parts.type
        }

    def times(self) -> Times:
        zones = self.parts["zone"]
        year, month, day = self._date()
        hour, minute, second = (self._number(part) for part in ("hour", "minute", "whole"))
        half = pc.utf8_lower(self.parts["half"]).to_numpy()
        twelve = half != ""
        self._require((hour < 24) & (minute < 60) & (second < 60), "is no time")
        self._require(~twelve | ((hour >= 1) & (hour <= 12)), "is no time")
        hour = np.where(twelve, hour % 12 + 12 * (half == "pm"), hour)
        fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(self.parts["fraction"], 6, "0"), 0, 6)
        self._require((month >= 1) & (month <= 12), "is no date")
        months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]") + (day - 1)
        self._require((day >= 1) & (days.astype("datetime64[M]") == months), "is no date")
        zoned = pc.not_equal(zones, "").to_numpy()
        self._require(zoned == zoned[np.argmax(self.known)], "has not the zone of the first one")
        micros = ((hour * 60 + minute) * 60 + second) * 10**6 + fraction.cast(pa.int64()).to_numpy()
        times = days.astype("datetime64[us]") + micros - self._offsets()
        return np.where(self.known, times, np.datetime64("NaT"))

    def _number(self, part: str) -> NDArray[np.int64]:
        digits = self.parts[part]
        return pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int64()).to_numpy()

    def _require(self, holds: NDArray[np.bool_], problem: str) -> None:
        odd = self.known & ~holds
        if odd.any():
            row = int(np.argmax(odd))
            raise CellError(self.name, self.column[row].as_py(), row, problem)

    def _offsets(self) -> NDArray[np.int64]:
        """Microseconds that zones are ahead of UTC."""
        ahead = {"": 0, "Z": 0}
        for zone in self.parts["zone"].unique().to_pylist():
            if zone not in ahead:
                digits = re.sub(r"\D", "", zone).ljust(4, "0")
                minutes = int(digits[:2]) * 60 + int(digits[2:])
                ahead[zone] = minutes * 60 * 10**6 * (-1 if zone[0] == "-" else 1)
        coded = self.parts["zone"].unique()
        values = np.array([ahead[zone] for zone in coded.to_pylist()])
        return values[pc.index_in(self.parts["zone"], coded).to_numpy()]

    def _date(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Year, month and day, whatever their order."""
        lengths = [pc.utf8_length(self.parts[part]).to_numpy() for part in ("first", "third")]
        first, second, third = (self._number(part) for part in ("first", "second", "third"))
        start = int(np.argmax(self.known))
        year_first = lengths[0][start] == 4
        self._require(
            (lengths[0] == 4) == year_first,
            "has its year elsewhere than the first one",
        )
        self._require(
            lengths[0 if year_first else 1] == 4,
            "has no year of four digits: say how times are written with format.time_format",
        )
        if year_first:
            return first, second, third
        day_first, month_first = (self.known & (n > 12) for n in (first, second))
        if day_first.any() and month_first.any():
            row = int(np.argmax(month_first))
            other = self.column[int(np.argmax(day_first))].as_py()
            problem = f"is no date with day and month in the order of {other!r}"
            raise CellError(self.name, self.column[row].as_py(), row, problem)
        # With points, the day comes first everywhere.
        if day_first.any() or (not month_first.any() and self.parts["mark"][start].as_py() == "."):
            return third, second, first
        if month_first.any():
            return third, first, second
        raise CellError(
            self.name,
            self.column[start].as_py(),
            start,
            "may have the day or the month first, as all others: say format.time_format "
            + " or ".join(repr(self._written(order, start)) for order in ("%d{0}%m", "%m{0}%d")),
        )

    def _written(self, order: str, row: int) -> str:
        """The format of a row, as `strptime` would have it."""
        mark = self.parts["mark"][row].as_py()
        has = {part: bool(self.parts[part][row].as_py()) for part in self.parts}
        clock = " %I:%M" if has["half"] else " %H:%M"
        clock += ":%S" * has["whole"] + ".%f" * has["fraction"]
        clock += " %p" * has["half"] + "%z" * has["zone"]
        return order.format(mark) + f"{mark}%Y" + clock * has["hour"]
