import numpy as np

from rvae.config import ScoringConfig
from rvae.scoring.distance_evidence import DistanceEvidence
from rvae.scoring.evidence import Placement
from rvae.scoring.excess import FLOOR

LEVEL = np.array([2.0])
PARTS = np.array([[5.0], [0.5], [np.nan]]) * (LEVEL + FLOOR) - FLOOR  # so many times the level
ERRORS = np.array([[[0.0, 1.0], [0.0, 3.0]], [[2.0, 2.0], [4.0, np.nan]], [[np.nan] * 2] * 2])
EVIDENCE = {"parts": PARTS, "errors": ERRORS}
PLACEMENT = Placement(np.array([0, 1, 3]), window=2, length=5)


def test_the_excess_of_the_distance_is_all_that_counts() -> None:
    """The memory has done its work: what it measured is in the evidence."""
    state = {"levels": LEVEL, "memory": np.zeros((50, 3), np.float32)}
    scorer = DistanceEvidence.from_state(ScoringConfig("distance"), state)
    score = np.log([5, 0.5, np.nan]) / 2
    np.testing.assert_allclose(scorer.score(EVIDENCE), score)
    found = scorer.contributions(EVIDENCE)
    np.testing.assert_allclose(found[0], np.array([[0, 1], [0, 3]]) / 4 * score[0])
    np.testing.assert_allclose(found[1], np.array([[2, 2], [4, np.nan]]) / 8 * score[1])
    assert np.isnan(found[2]).all()
    first, second = np.array([1, 3]) / 2 * 5, np.array([4, 4]) / 4 * 0.5
    expected = [first[0], (first[1] + second[0]) / 2, second[1], np.nan, np.nan]
    np.testing.assert_allclose(scorer.step_evidence(EVIDENCE, PLACEMENT), expected)
