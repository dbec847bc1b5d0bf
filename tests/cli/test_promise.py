"""What is said of a promise, and of what it lacks."""

from dataclasses import replace

import numpy as np
import pytest

from rvae.cli.promise import promise_sentences
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from tests.support.untrained import KINDS


@pytest.mark.parametrize(
    ("quantile", "alarms", "needed"),
    [
        (0.9, None, None),
        (0.99, None, "quantile 0.99 was asked for, which needs 99 blocks, 792 steps"),
        (0.9, "1 per 1600 steps", "1 per 1600 steps was asked for, which needs 199 blocks, 1,592"),
    ],
)
def test_what_is_lacking_is_told(quantile: float, alarms: str | None, needed: str | None) -> None:
    blocks = Blocks.without_order(np.arange(49.0), 49, 8)
    calibration = Calibration.fit(blocks, quantile, None if alarms is None else 1 / 1600)
    card = replace(KINDS["numbers"], calibration=calibration)
    first, second, *warning = promise_sentences(card, quantile, alarms)
    assert first.startswith(f"Threshold {calibration.threshold():.4g} at quantile ")
    assert "49 independent blocks of 8 steps" in second
    assert len(warning) == (needed is not None)
    assert needed is None or needed in warning[0]


def test_one_block_is_told_as_one() -> None:
    calibration = Calibration.fit(Blocks.without_order(np.arange(9.0), 1, 8), 0.99)
    card = replace(KINDS["numbers"], calibration=calibration)
    _, second, warning = promise_sentences(card, 0.99, None)
    assert second.startswith("These are no more than one independent block of 8 steps, which can ")
    assert "--training.folds 5" in warning
