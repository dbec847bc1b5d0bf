import json
from pathlib import Path
from typing import Any

import pytest

from rvae.inference.runtimes.kept_tuning import kept_tuning
from rvae.inference.runtimes.tuning import Tuning

MEASURED = Tuning(2, 32, 1, 0.001, 4000.0)


class Measuring:
    """Counts what is measured."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Tuning:
        self.count += 1
        return MEASURED


def test_the_next_process_measures_nothing(tmp_path: Path) -> None:
    measure = Measuring()
    for _ in range(3):
        assert kept_tuning(tmp_path, "checksum", "onnx", 2, measure) == MEASURED
    assert measure.count == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_another_model_runtime_or_number_of_threads_is_measured(tmp_path: Path) -> None:
    measure = Measuring()
    for checksum, runtime, threads in (("a", "onnx", 2), ("b", "onnx", 2), ("a", "openvino", 2)):
        kept_tuning(tmp_path, checksum, runtime, threads, measure)
    kept_tuning(tmp_path, "a", "onnx", 4, measure)
    assert measure.count == 4


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        {"threads": 3},
        {"threads": 0},
        {"threads": True},
        {"threads": "2"},
        {"windows_per_run": 1 << 40},
        {"concurrency": 1.5},
        {"windows_per_second": None},
        {"windows_per_second": -1.0},
        {"other": 1},
    ],
)
def test_what_is_no_measurement_is_measured_again(wrong: Any, tmp_path: Path) -> None:
    kept_tuning(tmp_path, "checksum", "onnx", 2, Measuring())
    (path,) = tmp_path.iterdir()
    if isinstance(wrong, dict):
        wrong = json.dumps(json.loads(path.read_bytes()) | wrong).encode()
    path.write_bytes(wrong)
    measure = Measuring()
    assert kept_tuning(tmp_path, "checksum", "onnx", 2, measure) == MEASURED
    assert measure.count == 1


def test_a_folder_that_is_missing_does_no_harm(tmp_path: Path) -> None:
    measure = Measuring()
    assert kept_tuning(tmp_path / "missing", "checksum", "onnx", 2, measure) == MEASURED
    assert measure.count == 1
