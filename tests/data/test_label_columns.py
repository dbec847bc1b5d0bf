"""What looks like labels, and what does not."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rvae.data.label_columns import has_label_name, holds_labels

LABELS = [
    *("label", "Labels", "ANOMALY", "anomalies", "is_anomaly", "Is Anomaly", "is-outlier", "fault"),
    *("outlier", "faulty", "target", "class", "Classes", "ground_truth", "groundtruth", "attack"),
]


@pytest.mark.parametrize("name", LABELS)
def test_names_of_labels(name: str) -> None:
    assert has_label_name(name)


@pytest.mark.parametrize("name", ["heat", "labelled_load", "default", "classic", "time", "", "y"])
def test_names_of_measurements(name: str) -> None:
    assert not has_label_name(name)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([[0, 1, 0]], True),
        ([[0, 0]], True),
        ([[-1, 1], [1]], True),
        ([[True, False]], True),
        ([[0.0, None, 1.0]], True),
        ([[0.0, float("nan"), 1.0]], True),
        ([list(range(20))], True),
        ([list(range(21))], False),
        ([[0, 1], [0.5, 1.0]], False),
        ([[None, None]], False),
    ],
)
def test_labels_are_few_whole_numbers(pieces: list[Any], expected: bool) -> None:
    arrays = [pa.array(piece, pa.float64() if None in piece else None) for piece in pieces]
    assert holds_labels(arrays) is expected


def test_reading_ends_with_the_first_measurement() -> None:
    pieces = iter([pa.array([0, 1]), pa.array([0.5]), pa.array([1])])
    assert not holds_labels(pieces)
    assert [piece.to_pylist() for piece in pieces] == [[1]]
    assert holds_labels([pa.array(np.arange(3))])
