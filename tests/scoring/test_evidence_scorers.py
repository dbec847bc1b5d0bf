"""Scores from evidence and saved state alone, compared with those of the fitted scorers."""

import numpy as np
import pytest

from rvae.inference.runtimes.loading import torch_runtime
from rvae.scoring.evidence import Placement
from rvae.scoring.evidence_scorers import EVIDENCE_SCORERS
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import SCORERS
from tests.support.networks import SCORES, network_card, random_windows, scored


def test_every_score_of_the_package_is_there() -> None:
    assert tuple(EVIDENCE_SCORERS) == SCORERS.names
    assert {options.score for options, _ in SCORES.values()} == set(SCORERS.names)


@pytest.mark.parametrize("score", SCORES)
def test_evidence_and_state_are_all_that_a_score_needs(score: str) -> None:
    artifact = scored(network_card("lstm"), score)
    runtime, fitted = torch_runtime(artifact)
    evidence = runtime.run(random_windows(artifact.card, 12)).evidence
    options = artifact.card.scoring
    alone = EVIDENCE_SCORERS[options.score](options, artifact.scorer)
    assert isinstance(fitted, Scorer) and not isinstance(alone, Scorer)
    window = artifact.card.window
    placement = Placement(np.arange(12) * 5, window, 11 * 5 + window)
    for name in ("score", "contributions"):
        found, expected = (getattr(one, name)(evidence) for one in (alone, fitted))
        assert np.isfinite(found).any() and np.isnan(found).any()
        np.testing.assert_array_equal(found, expected, strict=True)
    for name in ("point_scores", "channel_scores", "step_evidence"):
        found, expected = (getattr(one, name)(evidence, placement) for one in (alone, fitted))
        assert np.isfinite(found).any()
        np.testing.assert_array_equal(found, expected, strict=True)
