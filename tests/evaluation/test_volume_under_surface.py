import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.evaluation.point_metrics import affiliation_f1
from rvae.evaluation.volume_under_surface import volume_under_surface
from tests.support.detection_cases import CASES, marked


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


def test_only_a_buffer_tells_a_near_miss_from_a_far_one() -> None:
    labels = marked(100, (50, 55))
    near, far = np.zeros((2, 100))
    near[46:49], far[20:23] = 1, 1
    for window, nearer_is_better in ((1, False), (12, True)):
        volumes = [volume_under_surface(labels, scores, window) for scores in (near, far)]
        assert (volumes[0].pr > volumes[1].pr) == nearer_is_better
        assert (volumes[0].roc > volumes[1].roc) == nearer_is_better
    assert affiliation_f1(labels, near) > affiliation_f1(labels, far)
