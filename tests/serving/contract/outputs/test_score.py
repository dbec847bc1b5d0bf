from dataclasses import replace

import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.score import SCORE


def test_scores_come_with_what_they_mean(computation: Computation) -> None:
    values = SCORE.compute(computation)
    calibration = computation.calibration
    assert [list(one) for one in values] == [[field.name for field in SCORE.fields]] * 2
    for one, analysis in zip(values, computation.analyses, strict=True):
        np.testing.assert_array_equal(one["score"], analysis.score)
        expected = calibration.tail_probability(analysis.score)
        np.testing.assert_allclose(one["tail_probability"], expected)
        np.testing.assert_array_equal(
            one["above_calibration"], analysis.score > calibration.scores.max()
        )
        np.testing.assert_allclose(one["severity"], calibration.severity(analysis.score))
        assert one["threshold"] == calibration.threshold() and one["drift"] == 0


def test_what_scores_above_the_threshold_is_an_anomaly(computation: Computation) -> None:
    scores = np.concatenate([analysis.score for analysis in computation.analyses])
    middle = float(np.median(scores))
    values = SCORE.compute(replace(computation, threshold=middle))
    flags = np.concatenate([one["is_anomaly"] for one in values])
    assert flags.tolist() == (scores > middle).tolist()
    assert 0 < flags.sum() < len(flags)
