import codecs
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.data.ucr import Cases, read_ucr
from rvae.errors import FieldError

NAN = np.nan

MULTIVARIATE = """\
# An old comment
%# and another
@problemName Gestures
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true Still 1.0
@data
1.0,?,3e-1:-4,5,NaN:Still

6,7:8,9:1
"""


def _written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _assert_cases(cases: Cases, values: Any, classes: Any) -> None:
    assert len(cases.values) == len(values)
    for got, expected in zip(cases.values, values, strict=True):
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, expected)
        assert got.shape == np.shape(expected)
    assert cases.classes == classes


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "1\t0.5\tNaN\t-2.5\n-1\t7\t8e0\tNaN\n"),
        ("a.tsv", "1\t0.5\tnan\t-2.5\r\n-1\t7\t8\t?"),
        ("a.txt", "   1.0000000e+00   5.0e-01  NaN -2.5e+00\n  -1.0000000e+00   7   8 NaN\n\n"),
        ("a.txt", "1,0.5,NaN,-2.5\n-1,7,8,NaN\n"),
        ("a.txt", "1.0, 0.5, NaN, -2.5\n-1.0, 7, 8, NaN\n"),
    ],
)
def test_a_row_is_a_class_and_a_series_without_what_fills_it_up(
    tmp_path: Path, name: str, content: str
) -> None:
    cases = read_ucr(_written(tmp_path, name, content))
    _assert_cases(cases, [[[0.5], [NAN], [-2.5]], [[7], [8]]], ["1", "-1"])


def test_classes_of_rows_may_be_words(tmp_path: Path) -> None:
    cases = read_ucr(_written(tmp_path, "a.tsv", "walking, fast\t1\nrest\t2\n"))
    _assert_cases(cases, [[[1]], [[2]]], ["walking, fast", "rest"])


def test_cases_of_a_ts_file_have_dimensions_and_may_differ_in_length(tmp_path: Path) -> None:
    cases = read_ucr(_written(tmp_path, "a.ts", MULTIVARIATE))
    _assert_cases(
        cases, [[[1, -4], [NAN, 5], [0.3, NAN]], [[6, 8], [7, 9]]], classes=["Still", "1"]
    )


def test_missing_values_at_the_end_of_a_ts_case_stay(tmp_path: Path) -> None:
    cases = read_ucr(_written(tmp_path, "a.ts", "@data\n1,?\n"))
    _assert_cases(cases, [[[1], [NAN]]], None)


@pytest.mark.parametrize(
    ("header", "label", "expected"),
    [
        ("@classLabel false", "", None),
        ("@CLASSLABEL TRUE a b", ":B", ["B"]),
        ("@classLabel true", ":anything", ["anything"]),
        ("@targetLabel true", ":0.25", ["0.25"]),
        ("@classLabel false\n@targetlabel true", ":12.0", ["12"]),
        ("@problemname x\n@ClassLabel true 0.0 1.0", ":0", ["0"]),
    ],
)
def test_the_header_says_whether_a_class_follows(
    tmp_path: Path, header: str, label: str, expected: list[str] | None
) -> None:
    cases = read_ucr(_written(tmp_path, "a.ts", f"{header}\n@Data\n1,2{label}\n"))
    _assert_cases(cases, [[[1], [2]]], expected)


def test_marks_of_encoding_and_comments_in_another_one_do_not_matter(tmp_path: Path) -> None:
    content = codecs.BOM_UTF8 + b"# Universit\xe9\n@data\r\n1,2\r\n"
    _assert_cases(read_ucr(_written(tmp_path, "a.ts", content)), [[[1], [2]]], None)
    content = codecs.BOM_UTF8 + b"1\t2\n"
    _assert_cases(read_ucr(_written(tmp_path, "a.tsv", content)), [[[2]]], ["1"])


def _ts(case: str, *header: str) -> str:
    return "\n".join([*header, "@data", "1,2:3,4:a", case, ""])


TWO = ("@classLabel true a b",)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.tsv", "", "a.tsv"),
        ("a.tsv", "\n\n", "a.tsv"),
        ("a.tsv", "1\t2\n1\n", "line 2"),
        ("a.tsv", "1\t2\t3\n\n1\t2\n", "line 3"),
        ("a.tsv", "1\t2\n1\tx\n", "line 2"),
        ("a.tsv", "1\t2\t4\n1\t\t3\n", "line 2"),
        ("a.tsv", "1\t2\n\t2\n", "line 2"),
        ("a.tsv", "1\t2\nNaN\t2\n", "line 2"),
        ("a.tsv", "1\t2\n-0.7\t2\n", "line 2"),
        ("a.tsv", "1\t2\n1\tNaN\n", "line 2"),
        ("a.tsv", "1\t2\n1\t-inf\n", "line 2"),
        ("a.tsv", "1\t2\n1\t1e999\n", "line 2"),
        ("a.tsv", "1\t2\n1,2\n", "line 2"),
        ("a.txt", "1 2\n1 2\x00\n", "line 2"),
        ("a.txt", b"\x1f\x8b\x08\x00\xff\xfe rubbish", "line 1"),
        ("a.txt", "1\t2\n".encode("utf-16"), "line 1"),
        ("a.ts", "", "a.ts"),
        ("a.ts", "# only\n@univariate true\n", "a.ts"),
        ("a.ts", "@univariate true\n1,2\n", "line 2"),
        ("a.ts", "@data\n\n", "a.ts"),
        ("a.ts", b"G\x40\x00\x10\x00\x00\xb0\xff", "line 1"),
        ("a.ts", "@timeStamps True\n@data\n(0,1),(1,2)\n", "line 1"),
        ("a.ts", "@data\n(0,1),(1,2)\n", "line 2"),
        ("a.ts", "@univariate perhaps\n@data\n1\n", "line 1"),
        ("a.ts", "@equalLength\n@data\n1\n", "line 1"),
        ("a.ts", "@dimensions many\n@data\n1\n", "line 1"),
        ("a.ts", "@dimensions 0\n@data\n1\n", "line 1"),
        ("a.ts", "@univariate true\n@data\n1,2:3,4\n", "line 3"),
        ("a.ts", "@dimensions 2\n@data\n1:2:3\n", "line 3"),
        ("a.ts", _ts("1,2:a", *TWO), "line 4"),
        ("a.ts", _ts("1,2:3:a", *TWO), "line 4"),
        ("a.ts", _ts("1,2:3,4:", *TWO), "line 4"),
        ("a.ts", _ts("1,2:3,4:?", *TWO), "line 4"),
        ("a.ts", _ts("1,2:3,4:c", *TWO), "line 4"),
        ("a.ts", _ts("1,2:3,4", *TWO), "line 4"),
        ("a.ts", _ts("1,2", *TWO), "line 4"),
        ("a.ts", _ts("1,x:3,4:a", *TWO), "line 4"),
        ("a.ts", _ts("1,:3,4:a", *TWO), "line 4"),
        ("a.ts", _ts("1,Infinity:3,4:a", *TWO), "line 4"),
        ("a.ts", _ts("1:3:a", "@equalLength true", *TWO), "line 5"),
    ],
)
def test_what_is_malformed_is_named_with_its_place(
    tmp_path: Path, name: str, content: bytes | str, place: str
) -> None:
    with pytest.raises(FieldError) as caught:
        read_ucr(_written(tmp_path, name, content))
    assert caught.value.field == "data"
    assert place in caught.value.message
    assert name in caught.value.message
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 150
