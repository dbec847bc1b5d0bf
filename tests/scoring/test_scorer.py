from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from rvae.scoring.evidence import Evidence, Placement
from rvae.scoring.reconstruction import Reconstruction
from rvae.scoring.scorer import Scorer


class Constant(Scorer):
    """A score that needs neither fitting nor a state."""

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        return {"errors": reconstruction.x}

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return np.nansum(evidence["errors"], axis=(1, 2))

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        return evidence["errors"]


def test_what_a_score_has_by_default() -> None:
    unused: Any = None
    scorer = Constant.fit(unused, unused, unused, {})
    assert type(Constant.restore(unused, unused, unused, scorer.state())) is Constant
    errors = np.array([[[1.0, 2.0], [3.0, np.nan]], [[5.0, 6.0], [7.0, 8.0]]])
    placement = Placement(np.array([0, 1]), 2, 4)
    evidence = {"errors": errors}
    np.testing.assert_allclose(
        scorer.point_scores(evidence, placement), np.array([6, 16, 26, np.nan])
    )
    np.testing.assert_allclose(
        scorer.channel_scores(evidence, placement),
        np.array([[4, 2], [8, 8], [12, 14], [np.nan] * 2]),
    )


def test_what_a_score_must_have() -> None:
    class Incomplete(Scorer):
        def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
            return {}

    incomplete: type[Any] = Incomplete
    with pytest.raises(TypeError, match="abstract"):
        incomplete()
