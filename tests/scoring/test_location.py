import numpy as np
import pytest

from rvae.data.windows import window_starts
from rvae.scoring.clusters import find_clusters
from rvae.scoring.evidence import Placement
from rvae.scoring.location import bounds, trimmed

WINDOW = 20


def located(length: int, stride: int, anomaly: range, least: int = 1) -> tuple[int, int]:
    """Bounds of the event whose windows contain at least some steps of an anomaly."""
    placement = Placement(window_starts(length, WINDOW, stride), WINDOW, length)
    steps = np.arange(length)
    flags = (steps >= anomaly.start) & (steps < anomaly.stop)
    before = np.concatenate([[0], np.cumsum(flags)])
    inside = before[placement.starts + WINDOW] - before[placement.starts]
    scores = (inside >= least).astype(float)
    clusters = find_clusters(scores, 0.5, placement.starts, WINDOW, stride)
    assert len(clusters) == 1
    (begin,), (end,) = bounds(clusters, placement)
    return int(begin), int(end)


@pytest.mark.parametrize("width", [1, 12, 20, 100])
def test_an_anomaly_in_every_window_that_touches_it_is_found_exactly_at_stride_1(
    width: int,
) -> None:
    assert located(400, 1, range(150, 150 + width)) == (150, 150 + width)


@pytest.mark.parametrize("stride", [3, 7, 20])
@pytest.mark.parametrize("width", [1, 12, 20, 100])
def test_a_stride_blurs_it_by_less_than_a_stride(width: int, stride: int) -> None:
    for first in range(150, 150 + stride):
        begin, end = located(403, stride, range(first, first + width))
        assert abs(begin - first) < stride and abs(end - (first + width)) < stride


def test_an_anomaly_that_only_whole_windows_around_it_show_is_inside() -> None:
    for width in (5, 12, 20):
        begin, end = located(400, 1, range(150, 150 + width), least=width)
        assert begin <= 151 and 149 + width <= end and end - begin <= 40 - width


def test_at_the_ends_of_a_series_an_event_reaches_as_far_as_the_series() -> None:
    assert located(200, 1, range(0, 12)) == (0, 12)
    assert located(200, 1, range(188, 200)) == (188, 200)
    assert located(200, 1, range(0, 200)) == (0, 200)
    assert located(WINDOW, 1, range(3, 5)) == (0, WINDOW)
    # The last window is less than a stride after the one before it.
    assert located(205, 10, range(201, 205)) == (200, 205)


def test_windows_far_apart_do_not_speak_for_the_steps_between_them() -> None:
    assert located(400, 50, range(155, 160)) == (150, 170)


def test_steps_with_hardly_any_evidence_are_cut_off() -> None:
    evidence = np.array([0.1, np.nan, 5.0, 0.0, 9.0, 3.0, 0.1, 0.1])
    assert trimmed(evidence, 10, 18, 0.0, WINDOW) == (12, 16, 14)
    assert trimmed(evidence, 10, 18, 0.0, 1) == (11, 17, 14)
    # Relative to what counts as none: that of a likelihood may be any number.
    assert trimmed(evidence - 100, 10, 18, -100.0, WINDOW) == (12, 16, 14)
    assert trimmed(evidence, 10, 18, -100.0, WINDOW) == (10, 18, 14)
    assert trimmed(np.full(8, np.nan), 10, 18, 0.0, WINDOW) == (10, 18, 10)
    assert trimmed(np.full(8, 2.0), 10, 18, 2.0, WINDOW) == (10, 18, 10)
