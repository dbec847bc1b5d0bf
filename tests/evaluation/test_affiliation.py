import numpy as np
import pytest

from rvae.evaluation.point_metrics import affiliation_f1
from tests.support.detection_cases import marked


def test_a_near_miss_by_hand() -> None:
    labels = marked(10, (4, 6))
    scores = np.zeros(10)
    scores[7] = 1.0
    # The alarm is 1.5 steps away on average, and 2 as seen from the event, with 10 in the zone.
    precision, recall = 1 - (2 + 1.5 + 1.5) / 10, 1 - (2 + 2) / 10
    expected = 2 * precision * recall / (precision + recall)
    assert affiliation_f1(labels, scores) == pytest.approx(expected)


def test_a_zone_without_alarms_lowers_recall_alone() -> None:
    labels = marked(10, (1, 2), (8, 9))
    scores = labels.astype(float)
    assert affiliation_f1(labels, scores) == 1
    scores[8] = 0
    assert affiliation_f1(labels, scores) == pytest.approx(2 * 1 * 0.5 / 1.5)
