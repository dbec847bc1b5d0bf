from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from rvae.scoring.evidence import Evidence
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


def test_a_score_without_a_state_is_restored_from_nothing() -> None:
    unused: Any = None
    scorer = Constant.fit(unused, unused, unused, {})
    assert type(Constant.restore(unused, unused, unused, scorer.state())) is Constant
    assert scorer.state() == {}


def test_what_a_score_must_have() -> None:
    class Incomplete(Scorer):
        def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
            return {}

    incomplete: type[Any] = Incomplete
    with pytest.raises(TypeError, match="abstract"):
        incomplete()
