import numpy as np
import pytest

from rvae.config import ScoringConfig
from rvae.scoring.evidence import Placement
from rvae.scoring.excess import FLOOR
from rvae.scoring.excess_evidence import ExcessEvidence, parts_per_channel

# Two channels, each with an error and a level, and the distance of both.
LEVELS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
TIMES = np.array([[2.0, 3.0, 0.5, 9.0, 1.0], [1.0, 1.0, 7.0, np.nan, 8.0], [np.nan] * 5])
PARTS = TIMES * (LEVELS + FLOOR) - FLOOR  # so many times the level
ERRORS = np.array([[[0.0, 1.0], [0.0, 3.0]], [[2.0, 2.0], [4.0, np.nan]], [[np.nan] * 2] * 2])
EVIDENCE = {"parts": PARTS, "errors": ERRORS}
PLACEMENT = Placement(np.array([0, 1, 3]), window=2, length=5)


@pytest.fixture
def scorer() -> ExcessEvidence:
    return ExcessEvidence.from_state(ScoringConfig("excess", level=1.5), {"levels": LEVELS})


def test_a_level_of_windows_is_a_second_part_of_every_channel() -> None:
    assert parts_per_channel(ScoringConfig("excess")) == 1
    assert parts_per_channel(ScoringConfig("excess", level=1.5)) == 2


def test_a_score_is_the_largest_excess_of_all_parts(scorer: ExcessEvidence) -> None:
    expected = [0.5 * np.log(9), 0.5 * np.log(8), np.nan]
    np.testing.assert_allclose(scorer.score(EVIDENCE), expected)


def test_contributions_share_the_score_by_the_errors(scorer: ExcessEvidence) -> None:
    found = scorer.contributions(EVIDENCE)
    np.testing.assert_allclose(found[0], np.array([[0, 1], [0, 3]]) / 4 * 0.5 * np.log(9))
    expected = np.array([[2, 2], [4, np.nan]]) / 8 * 0.5 * np.log(8)
    np.testing.assert_allclose(found[1], expected)
    assert np.isnan(found[2]).all()


def test_a_channel_has_the_largest_excess_of_its_own_parts(scorer: ExcessEvidence) -> None:
    """The distance, which both have in common, is that of none."""
    times = np.array([[2, 9], [7, 1]])  # of each window, by channel
    mean = np.log(times).mean(0) / 2
    expected = [np.log(times[0]) / 2, mean, np.log(times[1]) / 2, [np.nan] * 2, [np.nan] * 2]
    np.testing.assert_allclose(scorer.channel_scores(EVIDENCE, PLACEMENT), expected, atol=1e-12)


def test_steps_have_errors_in_multiples_of_the_level(scorer: ExcessEvidence) -> None:
    """Their mean over the steps of a window is the multiple of the part that decides."""
    first, second = np.array([1, 3]) / 2 * 9, np.array([4, 4]) / 4 * 8
    expected = [first[0], (first[1] + second[0]) / 2, second[1], np.nan, np.nan]
    np.testing.assert_allclose(scorer.step_evidence(EVIDENCE, PLACEMENT), expected)
