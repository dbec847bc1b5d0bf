from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.errors import FieldError
from rvae.evaluation.point_metrics import (
    adjusted_f1,
    affiliation_f1,
    best_f1,
    event_f1,
    point_detection,
    range_f1,
)
from rvae.evaluation.volume_under_surface import volume_under_surface

ORDER_ONLY = ("vus_pr", "vus_roc", "auc_pr", "auc_roc", "f1")


def marked(points: int, *ranges: Any) -> NDArray[np.bool_]:
    labels = np.zeros(points, dtype=bool)
    for start, stop in ranges:
        labels[start:stop] = True
    return labels


def case(
    seed: int, points: int, *ranges: Any, shift: float = 1.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels = marked(points, *ranges)
    return labels, np.random.default_rng(seed).normal(size=points) + shift * labels


CASES = {
    "inside": (*case(0, 60, (20, 26)), 8),
    "borders": (*case(1, 80, (0, 5), (40, 41), (76, 80)), 15),
    "neighbours": (*case(2, 70, (10, 12), (13, 14), (17, 25), (45, 46), (50, 52)), 20),
    "long": (*case(3, 300, (100, 190)), 400),
    "ties": (marked(90, (30, 40), (60, 61)), case(4, 90, (28, 38))[1].round(), 10),
    "one score": (marked(30, (4, 7), (20, 22)), np.full(30, 0.3), 6),
}


def test_the_volume_of_four_steps_by_hand() -> None:
    labels = np.array([False, True, False, False])
    scores = np.array([0.0, 1.0, 3.0, 2.0])
    # Buffers of 0 and 1 steps reach nothing. One of 2 steps gives both neighbours a label of c.
    c = np.sqrt(1 / 2)
    recall = c / (1 + c / 2)
    pr = c * recall + (1 + c) / 3 * (1 - recall)
    false_alarms = np.array([1 - c, 2 - c]) / (3 - c / 2)
    roc = recall * (false_alarms[1] - false_alarms[0] / 2) + 1 - false_alarms[1]
    volume = volume_under_surface(labels, scores, 2)
    assert volume.pr == pytest.approx((1 / 3 + 1 / 3 + pr) / 3)
    assert volume.roc == pytest.approx((1 / 3 + 1 / 3 + roc) / 3)


def volume_by_definition(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], window: int
) -> tuple[float, ...]:
    points = len(labels)
    steps = np.arange(points)
    edges = np.flatnonzero(np.diff(labels.astype(int), prepend=0, append=0)).reshape(-1, 2)
    thresholds = np.sort(scores)[::-1][np.linspace(0, points - 1, 250).astype(int)]
    roc, pr = [], []
    for length in range(window + 1):
        reach = length // 2
        label, covered = labels.astype(float), labels.copy()
        for start, stop in edges:
            distance = np.maximum(start - steps, steps - stop + 1)
            near = (distance >= 1) & (distance <= reach)
            label[near] += np.sqrt(1 - distance[near] / max(length, 1))
            covered |= near
        label = np.minimum(label, 1)
        # Buffers that touch but do not overlap are two.
        groups = [edges[0] + [-reach, reach]]
        for start, stop in edges[1:]:
            if start - reach < groups[-1][1]:
                groups[-1][1] = stop + reach
            else:
                groups.append(np.array([start - reach, stop + reach]))
        curve, precision = [(0.0, 0.0)], []
        for threshold in thresholds:
            flags = scores >= threshold
            true = label[flags].sum()
            positives = labels.sum() + label[flags & ~labels].sum() / 2
            found = np.mean([flags[max(start, 0) : stop].any() for start, stop in groups])
            false = (flags.sum() - true) / (points - positives)
            curve.append((false, min(true / positives, 1) * found))
            precision.append(true / flags.sum())
        x, y = np.array([*curve, (1.0, 1.0)]).T
        roc.append(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())
        pr.append((np.diff(y[:-1]) * precision).sum())
    return np.mean(roc), np.mean(pr)


@pytest.mark.parametrize("name", [name for name in CASES if name != "long"])
def test_the_volume_is_what_its_definition_says(name: str) -> None:
    labels, scores, window = CASES[name]
    volume = volume_under_surface(labels, scores, window)
    expected = volume_by_definition(labels, scores, window)
    np.testing.assert_allclose([volume.roc, volume.pr], expected, rtol=1e-12)


# Of TSB_AD.evaluation.metrics.get_metrics in the package TSB-AD 1.5, with version "opt" and 250
# thresholds: VUS-PR, VUS-ROC, AUC-PR, AUC-ROC, Standard-F1, PA-F1, Event-based-F1, R-based-F1,
# Affiliation-F, which is NaN there where no threshold has an alarm.
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


def test_only_a_buffer_tells_a_near_miss_from_a_far_one() -> None:
    labels = marked(100, (50, 55))
    near, far = np.zeros((2, 100))
    near[46:49], far[20:23] = 1, 1
    for window, nearer_is_better in ((1, False), (12, True)):
        volumes = [volume_under_surface(labels, scores, window) for scores in (near, far)]
        assert (volumes[0].pr > volumes[1].pr) == nearer_is_better
        assert (volumes[0].roc > volumes[1].roc) == nearer_is_better
    assert affiliation_f1(labels, near) > affiliation_f1(labels, far)


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
