import numpy as np

from rvae.scoring import aggregation

NLL = np.random.default_rng(0).normal(size=(5, 4, 3))


def test_a_window_scores_the_mean_of_what_was_observed() -> None:
    nll = NLL.copy()
    nll[0, 1] = nll[1, :, 2] = np.nan
    nll[2] = np.nan
    scores = aggregation.window_scores(nll)
    np.testing.assert_allclose(scores[0], nll[0, [0, 2, 3]].mean())
    np.testing.assert_allclose(scores[1], nll[1, :, :2].mean())
    assert np.isnan(scores[2])
    np.testing.assert_allclose(scores[3:], NLL[3:].mean((1, 2)))


def test_contributions_sum_to_the_score() -> None:
    nll = NLL.copy()
    nll[0, 1] = np.nan
    parts = aggregation.contributions(nll)
    np.testing.assert_allclose(np.nansum(parts, (1, 2)), aggregation.window_scores(nll))
    assert np.isnan(parts[0, 1]).all()


def test_points_average_the_windows_that_cover_them() -> None:
    starts = np.array([0, 2, 3, 7])
    pointwise = np.random.default_rng(1).normal(size=(4, 4))
    pointwise[1, 0] = np.nan
    expected = [
        [
            pointwise[w, n - start]
            for w, start in enumerate(starts)
            if start <= n < start + 4 and not np.isnan(pointwise[w, n - start])
        ]
        for n in range(12)
    ]
    averaged = aggregation.mean_by_point(pointwise, starts, 12)
    np.testing.assert_allclose(averaged[:11], [np.mean(values) for values in expected[:11]])
    assert expected[11] == [] and np.isnan(averaged[11])


def test_points_average_the_same_however_few_the_windows_are() -> None:
    """Fewer windows than steps are added up one by one, others step by step."""
    pointwise = np.random.default_rng(2).normal(size=(6, 5, 2))
    pointwise[2, 1:3, 0] = np.nan
    for windows in range(1, 7):
        starts = np.array([0, 1, 3, 4, 8, 9])[:windows]
        steps = np.full((windows, 14, 2), np.nan)
        for window, start in enumerate(starts):
            steps[window, start : start + 5] = pointwise[window]
        known = ~np.isnan(steps).all(axis=0)
        averaged = aggregation.mean_by_point(pointwise[:windows], starts, 14)
        np.testing.assert_array_equal(~np.isnan(averaged), known)
        np.testing.assert_allclose(averaged[known], np.nanmean(steps[:, known], axis=0))


def test_means_in_a_stretch_are_those_in_the_series_to_the_last_bit() -> None:
    """Also if their windows are few in the stretch, and many in the series."""
    starts = np.arange(0, 60, 2)
    pointwise = (
        np.random.default_rng(3).normal(size=(30, 12, 2)) * 10.0 ** np.arange(30)[:, None, None]
    )
    windows = pointwise[:, 0]
    whole = aggregation.mean_by_point(pointwise, starts, 70)
    of_windows = aggregation.window_mean_by_point(windows, starts, 12, 70)
    for first in range(20):
        some, place = slice(first, first + 8), 2 * first + 12  # two steps that no others cover
        found = aggregation.mean_by_point(pointwise[some], starts[some], 70)
        np.testing.assert_array_equal(found[place : place + 2], whole[place : place + 2])
        found = aggregation.window_mean_by_point(windows[some], starts[some], 12, 70)
        np.testing.assert_array_equal(found[place : place + 2], of_windows[place : place + 2])


def test_a_huge_score_is_not_felt_where_its_window_has_ended() -> None:
    scores = np.array([1.0, 1e24, 1.0, 2.0])
    found = aggregation.window_mean_by_point(scores, np.array([0, 2, 4, 6]), window=2, length=8)
    assert found.tolist() == [1, 1, 1e24, 1e24, 1, 1, 2, 2]


def test_channels_are_averaged_over_the_series_one_by_one() -> None:
    averaged = aggregation.mean_by_point(NLL, np.array([0, 1, 2, 3, 4]), 8)
    assert averaged.shape == (8, 3)
    np.testing.assert_allclose(averaged[1], (NLL[0, 1] + NLL[1, 0]) / 2)


def test_points_average_what_is_given_to_whole_windows() -> None:
    starts = np.array([0, 2, 3])
    scores = np.array([1.0, np.nan, 5.0])
    found = aggregation.window_mean_by_point(scores, starts, window=3, length=8)
    np.testing.assert_allclose(found, [1, 1, 1, 5, 5, 5, np.nan, np.nan])


def test_given_to_windows_or_to_all_their_steps_is_the_same() -> None:
    random = np.random.default_rng(0)
    starts, values = np.arange(0, 40, 3), random.normal(size=(14, 2))
    steps = np.broadcast_to(values[:, None], (14, 7, 2))
    np.testing.assert_allclose(
        aggregation.window_mean_by_point(values, starts, 7, 50),
        aggregation.mean_by_point(steps, starts, 50),
    )


def test_a_score_is_shared_by_the_errors_that_made_it() -> None:
    errors = np.array([[[1.0, 3.0], [np.nan, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    shares = aggregation.share_by_errors(np.array([2.0, -1.0]), errors)
    np.testing.assert_allclose(shares[0], [[0.5, 1.5], [np.nan, 0.0]])
    assert (shares[1] == 0).all()


def test_steps_have_the_mean_score_and_threshold_of_the_windows_with_a_score() -> None:
    starts, scores = np.array([0, 1, 2]), np.array([1.0, 3.0, np.nan])
    found, thresholds = aggregation.step_scores(scores, np.array([2.0, 4.0, 9.0]), starts, 2, 4)
    np.testing.assert_allclose(found, [1, 2, 3, np.nan])
    np.testing.assert_allclose(thresholds, [2, 3, 4, np.nan])
    _, thresholds = aggregation.step_scores(scores, 5.0, starts, 2, 4)
    np.testing.assert_allclose(thresholds, [5, 5, 5, np.nan])


def test_a_score_does_not_depend_on_what_other_windows_miss() -> None:
    nll = np.random.default_rng(2).normal(size=(3, 140, 2)).astype(np.float32)
    whole = aggregation.window_scores(nll)
    nll[0, 7] = np.nan
    assert aggregation.window_scores(nll)[1:].tolist() == whole[1:].tolist()
