from typing import Any

import numpy as np
import pytest

from rvae.scoring.evidence import Placement
from rvae.scoring.scorer import Scorer


class Constant(Scorer):
    """A score that needs neither fitting nor a state."""

    def measure(self, reconstruction: Any) -> dict[str, Any]:
        return {"errors": reconstruction.x}

    def score(self, evidence: Any) -> Any:
        return np.nansum(evidence["errors"], axis=(1, 2))

    def contributions(self, evidence: Any) -> Any:
        return evidence["errors"]


def test_what_a_score_has_by_default() -> None:
    scorer = Constant.fit(None, None, None, {})
    assert type(Constant.restore(None, None, None, scorer.state())) is Constant
    errors = np.array([[[1.0, 2.0], [3.0, np.nan]], [[5.0, 6.0], [7.0, 8.0]]])
    placement = Placement(np.array([0, 1]), 2, 4)
    evidence = {"errors": errors}
    np.testing.assert_allclose(scorer.point_scores(evidence, placement), [6, 16, 26, np.nan])
    np.testing.assert_allclose(
        scorer.channel_scores(evidence, placement), [[4, 2], [8, 8], [12, 14], [np.nan] * 2]
    )


def test_what_a_score_must_have() -> None:
    class Incomplete(Scorer):
        def measure(self, reconstruction: Any) -> dict[str, Any]:
            return {}

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()
