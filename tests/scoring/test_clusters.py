from collections.abc import Sequence

import numpy as np
import pytest

from rvae.data.windows import window_starts
from rvae.errors import FieldError
from rvae.scoring.clusters import find_clusters

NAN = np.nan


def spans(
    scores: Sequence[float],
    thresholds: float | Sequence[float] = 1.0,
    window: int = 1,
    gap: int = 0,
    stride: int = 1,
) -> list[tuple[int, int]]:
    """First and last window of each cluster."""
    starts = np.arange(len(scores)) * stride
    found = find_clusters(np.array(scores, float), np.array(thresholds), starts, window, gap)
    return list(zip(found.first.tolist(), found.last.tolist(), strict=True))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], []),
        ([0, 0, 0], []),
        ([1, 1, 1], []),
        ([2, 2, 2], [(0, 2)]),
        ([2, 0, 0], [(0, 0)]),
        ([0, 0, 2], [(2, 2)]),
        ([0, 2, 2, 0, 2], [(1, 2), (4, 4)]),
        ([NAN] * 3, []),
    ],
)
def test_windows_above_the_threshold_are_flagged(
    scores: list[float], expected: list[tuple[int, int]]
) -> None:
    assert spans(scores) == expected


def test_windows_that_overlap_touch_or_are_a_gap_apart_belong_together() -> None:
    scores = [2, 0, 0, 0, 2]  # windows of 3 from 0 and from 4 have one step between them
    assert spans(scores, window=3) == [(0, 0), (4, 4)]
    assert spans(scores, window=3, gap=1) == spans(scores, window=4) == [(0, 4)]
    # The same windows at a stride longer than they are.
    assert spans([2, 2, 0, 2], window=3, stride=4) == [(0, 0), (1, 1), (3, 3)]
    assert spans([2, 2, 0, 2], window=3, stride=4, gap=4) == [(0, 1), (3, 3)]


def test_a_window_without_a_score_is_not_flagged_and_separates_nothing() -> None:
    assert spans([2, NAN, 2, NAN, NAN, 2], window=2) == [(0, 2), (5, 5)]


def test_every_window_may_have_a_threshold_of_its_own() -> None:
    assert spans([2, 2, 2, 2], [1, 3, np.inf, 1]) == [(0, 0), (3, 3)]


def test_at_most_one_cluster_begins_in_a_window_of_start_steps() -> None:
    window, noise = 12, np.random.default_rng(0).normal(size=5000)
    starts = window_starts(5000 + window - 1, window, 1)
    found = find_clusters(noise, 2.0, starts, window, 0)
    assert len(found) > 40 and np.diff(found.first).min() > window
    highest = [
        noise[first : last + 1].max() for first, last in zip(found.first, found.last, strict=True)
    ]
    np.testing.assert_array_equal(found.score, highest)


def test_a_score_that_was_not_flagged_is_not_that_of_a_cluster() -> None:
    scores, thresholds = np.array([2.0, 9.0, 3.0]), np.array([1.0, 10.0, 1.0])
    found = find_clusters(scores, thresholds, np.arange(3), 4, 0)
    assert found.score.tolist() == [3.0]


def test_a_negative_gap_is_refused() -> None:
    with pytest.raises(FieldError, match="at least 0") as caught:
        spans([0, 0], gap=-1)
    assert caught.value.field == "gap"
