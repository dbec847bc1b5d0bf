"""What outputs share, for all series of a request at once."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.serving.contract.outputs.computation import Computation


@pytest.fixture
def analyses(engine: Engine, fresh: list[np.ndarray]) -> list[Analysis]:
    return engine.analyse([fresh[0], np.concatenate(fresh[:3])], [1, 16])


def test_values_of_windows_are_those_of_their_series(
    engine: Engine, analyses: list[Analysis]
) -> None:
    request = Computation(analyses, engine.card, 16)
    first, second = request.by_series(np.arange(6))
    assert (first.tolist(), second.tolist()) == ([0], [1, 2, 3, 4, 5])
    assert [one.item() for one in request.by_series(np.asarray(7.0))] == [7.0, 7.0]


def test_thresholds_are_of_a_quantile_a_number_or_adapt(
    engine: Engine, analyses: list[Analysis]
) -> None:
    calibration = engine.card.calibration

    def thresholds(**options: Any) -> NDArray[np.float64]:
        return Computation(analyses, engine.card, 16, **options).thresholds

    assert thresholds() == calibration.threshold()
    assert thresholds(quantile=0.5) == calibration.threshold(0.5)
    assert thresholds(threshold=3.0) == 3.0
    expected = [AdaptiveThreshold(calibration, 0.05, 0.5).follow(one.score) for one in analyses]
    np.testing.assert_array_equal(thresholds(adapt=0.05, quantile=0.5), np.concatenate(expected))
