import numpy as np

from rvae.serving.contract.outputs.channel_scores import CHANNEL_SCORES
from rvae.serving.contract.outputs.computation import Computation


def test_the_only_channel_scores_what_the_point_does(computation: Computation) -> None:
    values = CHANNEL_SCORES.compute(computation)
    for one, analysis in zip(values, computation.analyses, strict=True):
        assert one["channel_scores"].shape == (analysis.length, 1)
        np.testing.assert_allclose(one["channel_scores"][:, 0], analysis.point_scores, rtol=1e-5)
