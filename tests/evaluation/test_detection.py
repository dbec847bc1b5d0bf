import numpy as np

from rvae.evaluation.detection import detection


def test_a_small_case_by_hand() -> None:
    labels = np.array([False, False, False, True, True])
    scores = np.array([1.0, 4.0, 2.0, 3.0, 5.0])
    flags = scores > 3.5
    found = detection(labels, scores, flags)
    # Of the six pairs one is in the wrong order; precision is 1 and 2/3 where recall rises.
    assert found.auroc == 5 / 6
    assert found.average_precision == 0.5 * 1 + 0.5 * (2 / 3)
    assert (found.f1, found.precision, found.recall) == (0.5, 0.5, 0.5)
    assert found.false_alarm_rate == 1 / 3
    assert found.report.classes == ("normal", "anomalous")
    assert found.report.confusion == ((2, 1), (1, 1))
    assert [one.support for one in found.report.metrics] == [3, 2]


def test_where_nothing_is_flagged_precision_is_zero() -> None:
    labels = np.array([False, True])
    found = detection(labels, np.array([0.0, 1.0]), np.zeros(2, dtype=bool))
    assert (found.precision, found.recall, found.f1, found.false_alarm_rate) == (0, 0, 0, 0)
    assert found.auroc == 1
