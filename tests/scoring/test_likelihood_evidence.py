import numpy as np

from rvae.config import ScoringConfig
from rvae.scoring.evidence import Placement
from rvae.scoring.likelihood_evidence import LikelihoodEvidence
from tests.support.untrained import untrained_card, untrained_engine

NLL = np.array([[[1.0, 2.0], [3.0, np.nan]], [[5.0, 6.0], [np.nan, np.nan]]])  # (W, T, C)


def test_scores_are_means_of_what_was_observed() -> None:
    scorer = LikelihoodEvidence.from_state(ScoringConfig(), {})
    evidence, placement = {"nll": NLL}, Placement(np.array([0, 1]), window=2, length=3)
    np.testing.assert_allclose(scorer.score(evidence), [2, 5.5])
    shares = [[1 / 3, 2 / 3], [1.0, np.nan]]
    np.testing.assert_allclose(scorer.contributions(evidence)[0], shares)
    # The step in the middle is the end of the first window and the beginning of the second.
    points = [1.5, (3 + 5.5) / 2, np.nan]
    np.testing.assert_allclose(scorer.point_scores(evidence, placement), points)
    np.testing.assert_allclose(scorer.step_evidence(evidence, placement), points)
    channels = scorer.channel_scores(evidence, placement)
    np.testing.assert_allclose(channels, np.array([[1, 2], [4, 6], [np.nan, np.nan]]))


def test_points_have_a_score_of_each_channel() -> None:
    engine = untrained_engine(untrained_card(channels=("heat", "speed", "load")))
    values = np.random.default_rng(0).normal(20, 2, (20, 3))
    values[4, 1] = np.nan
    (analysis,) = engine.analyse([values], 4)
    assert analysis.channel_scores.shape == (20, 3)
    np.testing.assert_array_equal(np.isnan(analysis.channel_scores), np.isnan(values))
    # Steps 4 to 7 are the ends of the first window and the beginnings of the second.
    expected = (analysis.evidence["nll"][0, 4:] + analysis.evidence["nll"][1, :4]) / 2
    np.testing.assert_allclose(analysis.channel_scores[4:8], expected, rtol=1e-6)
    np.testing.assert_allclose(
        np.nansum(analysis.contributions, axis=(1, 2)), analysis.score, rtol=1e-5
    )
