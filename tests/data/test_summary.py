import numpy as np

from rvae.data.summary import Summary


def test_blocks_add_up_to_what_numpy_finds_of_the_whole() -> None:
    values = np.random.default_rng(0).normal([1e9, -3], [2.0, 5.0], (1000, 2))
    values[::7, 1] = np.nan
    summary = Summary.empty(2)
    for block in np.array_split(values, [1, 10, 400]):
        summary = summary.merge(block)
    assert summary.rows == 1000
    assert summary.observed.tolist() == [1000, 857]
    assert summary.gaps
    np.testing.assert_allclose(summary.mean, np.nanmean(values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(summary.variance, np.nanvar(values, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(summary.smallest, np.nanmin(values, axis=0))
    np.testing.assert_array_equal(summary.largest, np.nanmax(values, axis=0))
