"""Events that someone has judged → steps of series that are no normal data."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pyarrow import parquet

from rvae.config import FileFormat
from rvae.data.file_format import find_layout, records
from rvae.data.frames import as_frame, table_of_frame
from rvae.data.series import Series
from rvae.data.text_files import read_text
from rvae.errors import FieldError, require

__all__ = ["JudgedEvent", "Verdict", "read_judged_events", "without_events"]

Verdict = Literal["false alarm", "confirmed"]
VERDICTS: dict[str, Verdict | None] = {
    "false alarm": "false alarm",
    "confirmed": "confirmed",
    "": None,
}

EVENTS, SERIES, VERDICT = "events", "series", "verdict"

# Tables of events have names, and no units. Spreadsheets may change the separator.
WRITTEN = FileFormat(header=True, units=False)


@dataclass(frozen=True)
class JudgedEvent:
    """An event, and what it was.

    Attributes:
        series: Number of its series.
        start: First step.
        end: Step after the last one.
        verdict: What it was; None if nobody has judged it.
    """

    series: int
    start: int
    end: int
    verdict: Verdict | None


def read_judged_events(
    source: Any, series: Sequence[Series], series_column: str | None = None
) -> list[JudgedEvent]:
    """Read events with a column of verdicts, and find their series.

    Args:
        source: What `rvae score --events` or `Model.events` has written, as a .csv or .parquet file
            or a frame, with one more column, "verdict": "false alarm", "confirmed", or nothing
            where an event was not judged. Capitals do not matter. Other columns than those of the
            series, the start and the end are not read.
        series: The series in which the events were found.
        series_column: Another name that the column "series" may have. With a single series it may
            be absent.

    Raises:
        FieldError: If the table cannot be read, lacks a column, has a row that is no event of these
            series or has another verdict, or if no event was judged.
    """
    numbers = {one.name: number for number, one in enumerate(series)}
    found = []
    for place, row in _rows(source, {SERIES, series_column}, alone=len(series) == 1):
        number = _series(row.get(SERIES), numbers, place)
        start, end = (_step(row[name], name, place) for name in ("start", "end"))
        require(
            0 <= start < end <= len(series[number]),
            EVENTS,
            f"{place}: there are no steps {start} to {end} in series {series[number].name}, which "
            f"has {len(series[number])}",
        )
        found.append(JudgedEvent(number, start, end, _verdict(row[VERDICT], place)))
    require(bool(found), EVENTS, "there are no rows: if there are no events, leave them out")
    require(
        any(event.verdict is not None for event in found),
        EVENTS,
        f"none is judged: the column {VERDICT!r} is empty",
    )
    return found


def without_events(
    series: Sequence[Series], events: Iterable[JudgedEvent], margin: int
) -> list[Series]:
    """The series with labels that say that events are anomalous, unless they are false alarms.

    Args:
        series: The series, with labels or without.
        events: Events in them.
        margin: Steps before and after an event that are anomalous, too: as its ends are estimated,
            windows may have been flagged for it that do not contain them.
    """
    flags = [one.anomalous.copy() for one in series]
    for event in events:
        if event.verdict != "false alarm":
            first = max(0, event.start - margin)
            flags[event.series][first : event.end + margin] = True
    return [replace(one, labels=labels) for one, labels in zip(series, flags, strict=True)]


def _rows(
    source: Any, series_names: set[str | None], alone: bool
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The place of each row for messages, and its cells by the names of the columns."""
    try:
        names, rows = _text(source) if _is_text(source) else _table(source)
    except FieldError as error:
        raise FieldError(EVENTS, error.message) from None
    except (OSError, pa.ArrowException) as error:
        raise FieldError(EVENTS, f"cannot be read: {error}") from None
    names = [SERIES if name in series_names else name for name in names]
    needed = {"start", "end", VERDICT} | (set() if alone else {SERIES})
    lacking = sorted(needed - set(names))
    require(
        not lacking,
        EVENTS,
        f"there is no column {', '.join(map(repr, lacking))}: expected what rvae score --events "
        f"writes, with a column {VERDICT!r}; got {', '.join(map(repr, names[:20]))}",
    )
    for place, cells in rows:
        require(
            len(cells) == len(names),
            EVENTS,
            f"{place} has {len(cells)} cells, but there are names for {len(names)}",
        )
        yield place, dict(zip(names, cells, strict=True))


def _is_text(source: Any) -> bool:
    return isinstance(source, str | Path) and Path(source).suffix != ".parquet"


def _text(source: str | Path) -> tuple[list[str], Iterator[tuple[str, list[str]]]]:
    """Names of columns, and the place and the cells of each row, of a text file."""
    path = Path(source).expanduser()
    text, _ = read_text(path, None)
    layout = find_layout(text, WRITTEN, path.name)
    lines = records(io.StringIO(text[layout.start :].decode(), newline=""), layout.separator)
    return list(layout.names), (
        (f"line {layout.line - 1 + line} of {path.name}", cells) for line, cells in lines
    )


def _table(source: Any) -> tuple[list[str], Iterator[tuple[str, list[Any]]]]:
    """Names of columns, and the place and the cells of each row, of a .parquet file or a frame."""
    if isinstance(source, str | Path):
        table = parquet.read_table(Path(source).expanduser())
    else:
        frame = as_frame(source)
        kind = type(source).__name__
        require(frame is not None, EVENTS, f"must be a path or a data frame, got {kind}")
        assert frame is not None
        table = table_of_frame(frame, None)
    cells = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return table.column_names, ((f"row {i}", list(row)) for i, row in enumerate(cells))


def _series(cell: Any, numbers: Mapping[str, int], place: str) -> int:
    """The number of the series that a cell names; the only one if there is no cell."""
    if cell is None and len(numbers) == 1:
        return 0
    name = str(cell)
    require(
        name in numbers,
        EVENTS,
        f"{place}: there is no series {name!r} in the data, which has "
        + ", ".join(map(repr, list(numbers)[:5]))
        + (", …" if len(numbers) > 5 else ""),
    )
    return numbers[name]


def _step(cell: Any, name: str, place: str) -> int:
    try:
        number = float(cell)
        step = int(number)
    except (TypeError, ValueError, OverflowError):
        step, number = 0, 0.5
    require(step == number, EVENTS, f"{place}: {name} is {cell!r}, expected a step")
    return step


def _verdict(cell: Any, place: str) -> Verdict | None:
    # Frames have NaN where there is no text.
    missing = cell is None or (isinstance(cell, float) and cell != cell)
    text = "" if missing else re.sub(r"[\s_-]+", " ", str(cell)).strip().lower()
    require(
        text in VERDICTS,
        EVENTS,
        f"{place}: {VERDICT} is {cell!r}, expected 'false alarm', 'confirmed' or nothing",
    )
    return VERDICTS[text]
