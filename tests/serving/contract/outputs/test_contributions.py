import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.contributions import CONTRIBUTIONS


def test_they_add_up_to_the_score_of_each_window(computation: Computation) -> None:
    values = CONTRIBUTIONS.compute(computation)
    assert len(values) == len(computation.analyses)
    for one, analysis in zip(values, computation.analyses, strict=True):
        contributions = one["contributions"]
        assert contributions.shape == (len(analysis.starts), computation.card.window, 1)
        np.testing.assert_allclose(contributions.sum((1, 2)), analysis.score, rtol=1e-5)
