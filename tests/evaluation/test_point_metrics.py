from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.errors import FieldError
from rvae.evaluation.point_metrics import (
    adjusted_f1,
    best_f1,
    event_f1,
    point_detection,
    range_f1,
)
from tests.support.detection_cases import CASES, marked

ORDER_ONLY = ("vus_pr", "vus_roc", "auc_pr", "auc_roc", "f1")


REFERENCE = """
0.508257 0.880014 0.487103 0.858025 0.476186 1.000000 1.000000 0.500000 0.975818 inside
0.417691 0.791829 0.358237 0.737143 0.499995 0.642857 0.465116 0.288703 0.774323 borders
0.749235 0.917401 0.434758 0.756378 0.516124 0.896552 0.727273 0.571429 0.817844 neighbours
0.868658 0.947735 0.642657 0.802646 0.627114 1.000000 1.000000 0.345588 0.958033 long
0.336544 0.800934 0.221081 0.726697 0.349996 0.689655 0.388889 0.200797 0.745525 ties
0.303852 0.547859 0.166667 0.500000 0.285712 0.000000 0.000000 0.000000 0.000000 one score
"""


@pytest.mark.parametrize("row", REFERENCE.strip().splitlines())
def test_figures_are_those_of_the_reference_evaluator(row: str) -> None:
    *figures, name = row.split(maxsplit=9)
    labels, scores, window = CASES[name]
    ours = list(asdict(point_detection(labels, scores, window)).values())
    np.testing.assert_allclose(ours, np.array(figures, dtype=float), rtol=0, atol=1e-6)


def test_flags_that_overlap_an_event_by_hand() -> None:
    labels = marked(6, (1, 5))
    scores = np.array([1.0, 1, 0, 1, 0, 0])
    # Flagging every step has precision 4/6 and recall 1, flagging three 2/3 and 2/4.
    assert best_f1(labels, scores) == pytest.approx(0.8, abs=1e-5)
    # One alarm out of five steps is false after adjustment, one of three before it.
    assert adjusted_f1(labels, scores) == pytest.approx(8 / 9)
    assert event_f1(labels, scores) == pytest.approx(0.8)
    # Half of the event is met by two stretches; of these one is half inside, the other wholly.
    recall, precision = 0.2 + 0.8 * (2 / 4) / 2, (1 / 2 + 1) / 2
    expected = 2 * precision * recall / (precision + recall)
    assert range_f1(labels, scores) == pytest.approx(expected)


def test_the_ends_of_a_series_are_overlooked_as_by_the_reference() -> None:
    ends = np.array([True, True, False, True])
    # An alarm at the second step leaves the first as it is, and the last step finds no event.
    scores = np.array([0.0, 1.0, 0.0, 1.0])
    assert adjusted_f1(ends, scores) == pytest.approx(2 * (2 / 3) / (1 + 2 / 3))
    assert event_f1(ends, scores) == pytest.approx(2 * (1 / 2) / (1 + 1 / 2))


def test_scores_that_tell_all_get_full_marks() -> None:
    labels = marked(200, (30, 31), (90, 120))
    figures = asdict(point_detection(labels, labels.astype(float), 20))
    np.testing.assert_allclose(list(figures.values()), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["inside", "neighbours", "ties"])
def test_only_the_order_of_scores_matters_to_measures_of_all_thresholds(name: str) -> None:
    labels, scores, window = CASES[name]
    plain = asdict(point_detection(labels, scores, window))
    bent = asdict(point_detection(labels, np.exp(2 * scores), window))
    assert {key: bent[key] for key in ORDER_ONLY} == {key: plain[key] for key in ORDER_ONLY}


@pytest.mark.parametrize("name", CASES)
def test_the_scale_of_scores_matters_to_none(name: str) -> None:
    labels, scores, window = CASES[name]
    scaled = point_detection(labels, 4 * scores - 16, window)
    assert asdict(scaled) == pytest.approx(asdict(point_detection(labels, scores, window)))


@pytest.mark.parametrize("name", ["inside", "neighbours", "ties"])
def test_time_may_run_backwards(name: str) -> None:
    labels, scores, window = CASES[name]
    backwards = point_detection(labels[::-1], scores[::-1], window)
    assert asdict(backwards) == pytest.approx(asdict(point_detection(labels, scores, window)))


def test_single_precision_is_enough() -> None:
    labels, scores, window = CASES["inside"]
    single = point_detection(labels, scores.astype(np.float32), window)
    assert asdict(single) == pytest.approx(asdict(point_detection(labels, scores, window)))


@pytest.mark.parametrize(
    ("field", "labels", "scores", "window"),
    [
        ("labels", np.zeros(4, dtype=bool), np.arange(4.0), 2),
        ("labels", np.ones(4, dtype=bool), np.arange(4.0), 2),
        ("labels", np.array([0, 1, 0, 0]), np.arange(4.0), 2),
        ("scores", marked(4, (1, 2)), np.arange(5.0), 2),
        ("scores", marked(4, (1, 2)), np.array([0, np.nan, 1, 2]), 2),
        ("scores", marked(4, (1, 2)), np.array([0, np.inf, 1, 2]), 2),
        ("window", marked(4, (1, 2)), np.arange(4.0), -1),
    ],
)
def test_what_cannot_be_compared_is_named(
    field: str, labels: NDArray[Any], scores: NDArray[np.float64], window: int
) -> None:
    with pytest.raises(FieldError) as caught:
        point_detection(labels, scores, window)
    assert caught.value.field == field


def test_the_first_step_without_a_score_is_named() -> None:
    with pytest.raises(FieldError, match="2 are missing or infinite, the first at step 1"):
        point_detection(marked(4, (1, 2)), np.array([0, np.nan, np.nan, 2]), 2)
