"""Predicted classes, compared with true ones."""

import numpy as np
import pytest
from sklearn.metrics import classification_report

from rvae.evaluation.class_report import ClassMetrics, class_report


def test_a_small_case_by_hand() -> None:
    truth, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    found = class_report(truth, predicted, ("a", "b", "c"))
    assert found.confusion == ((2, 1, 0), (1, 1, 0), (1, 0, 0))
    assert found.windows == 6
    assert found.metrics == (
        ClassMetrics(precision=2 / 4, recall=2 / 3, f1=4 / 7, support=3),
        ClassMetrics(precision=1 / 2, recall=1 / 2, f1=0.5, support=2),
        ClassMetrics(precision=0, recall=0, f1=0, support=1),
    )
    assert found.accuracy == 3 / 6
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert found.macro_f1 == pytest.approx((4 / 7 + 1 / 2 + 0) / 3)


def test_it_is_the_report_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 4, (2, 200))
    found = class_report(truth, predicted, ("0", "1", "2", "3"))
    expected = classification_report(truth, predicted, output_dict=True)
    for word, one in zip(found.classes, found.metrics, strict=True):
        assert one.precision == expected[word]["precision"]
        assert one.recall == expected[word]["recall"]
        assert one.f1 == expected[word]["f1-score"]
        assert one.support == expected[word]["support"]
    assert found.accuracy == expected["accuracy"]
    assert found.macro_f1 == pytest.approx(expected["macro avg"]["f1-score"])


def test_a_class_without_windows_does_not_count_for_balanced_accuracy() -> None:
    found = class_report(np.array([0, 0, 1]), np.array([0, 2, 1]), ("a", "b", "c"))
    assert found.balanced_accuracy == (1 / 2 + 1) / 2
