"""Tables of judged events."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.data.judged_events import JudgedEvent, read_judged_events, without_events
from rvae.data.series import Series
from rvae.errors import FieldError

SERIES = [Series(np.zeros((100, 1)), "007"), Series(np.zeros((50, 1)), "pump, left")]
FOUND = [JudgedEvent(0, 3, 9, "false alarm"), JudgedEvent(1, 0, 50, "confirmed")]
TABLE = {
    "series": ["007", "pump, left", "007"],
    "start": [3, 0, 90],
    "end": [9, 50, 100],
    "score": [1.5, 2.5, 0.5],
    "verdict": ["False Alarm", "confirmed ", None],
}
ALL = [*FOUND, JudgedEvent(0, 90, 100, None)]


def text(folder: Path, content: str | bytes) -> Path:
    path = folder / "judged.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_text_file_keeps_its_meaning_in_a_spreadsheet(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "judged.csv"
    pd.DataFrame(TABLE).to_csv(path, index=False, sep=separator, encoding="utf-8-sig")
    assert read_judged_events(path, SERIES) == ALL
    assert read_judged_events(str(path), SERIES) == ALL


def test_tables_of_any_library_and_parquet_are_read(tmp_path: Path) -> None:
    for frame in (pd.DataFrame(TABLE), pl.DataFrame(TABLE), pa.table(TABLE)):
        assert read_judged_events(frame, SERIES) == ALL
    parquet.write_table(pa.table(TABLE), tmp_path / "judged.parquet")
    assert read_judged_events(tmp_path / "judged.parquet", SERIES) == ALL
    renamed = pd.DataFrame(TABLE).rename(columns={"series": "unit"})
    assert read_judged_events(renamed, SERIES, "unit") == ALL


def test_with_a_single_series_it_need_not_be_named(tmp_path: Path) -> None:
    path = text(tmp_path, "start,end,verdict\n3,9,false_alarm\n")
    assert read_judged_events(path, SERIES[:1]) == FOUND[:1]
    with pytest.raises(FieldError, match="no column 'series'"):
        read_judged_events(path, SERIES)


HEAD = "series,start,end,verdict\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "judged.csv is empty"),
        ("\n\n", "judged.csv is empty"),
        (HEAD, "there are no rows"),
        ("series,start,end\n007,3,9\n", "no column 'verdict'.* got 'series', 'start', 'end'"),
        ("series,start,end,verdict,verdict\n007,3,9,,\n", "both called 'verdict'"),
        ("time,value\n1,2\n", "no column 'end', 'series', 'start', 'verdict'"),
        (HEAD + "007,3,9,\n", "none is judged: the column 'verdict' is empty"),
        (HEAD + "007,3,9,false\n", "line 2 of judged.csv: verdict is 'false', expected"),
        (HEAD + "007,3,9,confirmed\n007,3,9,yes\n", "line 3 of judged.csv: verdict is 'yes'"),
        (HEAD + "7,3,9,confirmed\n", "line 2 .*: there is no series '7' .* '007', 'pump, left'"),
        (HEAD + ",3,9,confirmed\n", "there is no series ''"),
        (HEAD + "007,-1,9,confirmed\n", "no steps -1 to 9 in series 007, which has 100"),
        (HEAD + "007,3,101,confirmed\n", "no steps 3 to 101 in series 007, which has 100"),
        (HEAD + "007,9,9,confirmed\n", "no steps 9 to 9"),
        (HEAD + "007,9,3,confirmed\n", "no steps 9 to 3"),
        (HEAD + "007,3.5,9,confirmed\n", "line 2 .*: start is '3.5', expected a step"),
        (HEAD + "007,nan,9,confirmed\n", "start is 'nan', expected a step"),
        (HEAD + "007,3,inf,confirmed\n", "end is 'inf', expected a step"),
        (HEAD + "007,,9,confirmed\n", "start is '', expected a step"),
        (HEAD + "007,3,1e300,confirmed\n", "no steps 3 to 1000"),
        (HEAD + f"007,3,{'9' * 400},confirmed\n", "expected a step"),
        (HEAD + "007,3,9\n", "line 2 of judged.csv has 3 cells, but there are names for 4"),
        (HEAD + f"{'x' * 200_000},3,9,confirmed\n", "line 2: field larger than"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"series,start,end,verdict\n\x00", "zero byte in line 2"),
        (b"\xff\xfe\xfd\xfc" * 5, "events: "),
    ],
)
def test_what_is_no_table_of_judged_events_is_refused(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        read_judged_events(text(tmp_path, content), SERIES)
    assert caught.value.field == "events"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("absent.csv", "cannot be read: .*No such file"),
        ("absent.parquet", "cannot be read: .*absent"),
        ([(1, 2)], "must be a path or a data frame, got list"),
        (pd.DataFrame({"start": [1.0], "end": [np.nan], "verdict": ["confirmed"]}), "end is None"),
        (pd.DataFrame({"start": [1.5], "end": [3], "verdict": ["confirmed"]}), "start is 1.5"),
        (pd.DataFrame({"start": [1], "end": [3], "verdict": [1]}), "row 0: verdict is 1, expected"),
        (pd.DataFrame({"start": [1], "end": [3], "verdict": [np.nan]}), "none is judged"),
        (pd.DataFrame({"start": [], "end": [], "verdict": []}), "there are no rows"),
    ],
)
def test_objects_and_paths_that_are_none_are_refused(source: Any, message: str) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        read_judged_events(source, SERIES[:1])
    assert caught.value.field == "events"


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "judged.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(FieldError, match=r"^events: cannot be read"):
        read_judged_events(tmp_path / "judged.parquet", SERIES)


def test_a_hundred_thousand_events_are_read(tmp_path: Path) -> None:
    rows = "".join(f"007,{i % 90},{i % 90 + 5},false alarm\n" for i in range(100_000))
    assert len(read_judged_events(text(tmp_path, HEAD + rows), SERIES)) == 100_000


def test_what_is_no_false_alarm_is_labelled_with_its_surroundings() -> None:
    labelled = Series(np.zeros((50, 1)), "b", labels=np.arange(50) == 49)
    events = [
        JudgedEvent(0, 3, 9, "confirmed"),
        JudgedEvent(0, 50, 60, "false alarm"),
        JudgedEvent(1, 20, 25, None),
    ]
    first, second = without_events([SERIES[0], labelled], events, 5)
    assert np.flatnonzero(first.anomalous).tolist() == [*range(14)]
    assert np.flatnonzero(second.anomalous).tolist() == [*range(15, 30), 49]
    assert SERIES[0].labels is None and labelled.anomalous.sum() == 1
