import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.scoring.evidence import Evidence, EvidenceScorer, Placement


class Total(EvidenceScorer):
    """The sum of a window's errors."""

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return np.nansum(evidence["errors"], axis=(1, 2))

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return evidence["errors"]


ERRORS = np.array([[[1.0, 2.0], [3.0, np.nan]], [[5.0, 6.0], [7.0, 8.0]]])  # (W, T, C)


@pytest.mark.parametrize(
    ("starts", "points", "channels"),
    [
        ([0, 1], [6, 16, 26, np.nan], [[4, 2], [8, 8], [12, 14], [np.nan] * 2]),
        ([0, 2], [6, 6, 26, 26], [[4, 2], [4, 2], [12, 14], [12, 14]]),
    ],
)
def test_points_have_the_mean_score_of_the_windows_that_cover_them(
    starts: list[int], points: list[float], channels: list[list[float]]
) -> None:
    placement = Placement(np.array(starts), window=2, length=4)
    scorer, evidence = Total(), {"errors": ERRORS}
    np.testing.assert_allclose(scorer.point_scores(evidence, placement), points)
    np.testing.assert_allclose(scorer.channel_scores(evidence, placement), channels)


def test_steps_have_the_mean_of_what_they_add_to_the_scores_of_windows() -> None:
    placement = Placement(np.array([0, 1]), window=2, length=4)
    found = Total().step_evidence({"errors": ERRORS}, placement)
    np.testing.assert_allclose(found, [3, 7, 15, np.nan])
    nothing = Total().step_evidence({"errors": np.full((2, 2, 2), np.nan)}, placement)
    assert np.isnan(nothing).all()
