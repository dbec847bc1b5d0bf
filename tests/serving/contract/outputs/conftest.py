"""What outputs are computed from: a series of one window, and one of five."""

import numpy as np
import pytest

from rvae.inference.engine import Engine
from rvae.serving.contract.outputs.computation import Computation


@pytest.fixture
def computation(engine: Engine, fresh: list[np.ndarray]) -> Computation:
    """A request about a short series and a longer one, whose windows overlap by half."""
    series = [fresh[0], np.concatenate(fresh[:3])]
    return Computation(engine.analyse(series, [1, 16]), engine.card, 16)
