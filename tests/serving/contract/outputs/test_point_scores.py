import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.point_scores import POINT_SCORES


def test_each_point_has_the_mean_of_what_its_windows_say(computation: Computation) -> None:
    values = POINT_SCORES.compute(computation)
    for one, analysis in zip(values, computation.analyses, strict=True):
        total, count = np.zeros(analysis.length), np.zeros(analysis.length)
        for start, window in zip(analysis.starts, analysis.contributions, strict=True):
            # Contributions are shares of a mean over the steps of a window, of one channel here.
            total[start : start + len(window)] += window.sum(1) * len(window)
            count[start : start + len(window)] += 1
        np.testing.assert_allclose(one["point_scores"], total / count, rtol=1e-5)
