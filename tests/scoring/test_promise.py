import numpy as np
import pytest

from rvae.scoring.blocks import Blocks, Stretch
from rvae.scoring.calibration import Calibration
from rvae.scoring.promise import limit_text, promise_text, share_text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1 - 0.99, "1 %"),
        (0.05, "5 %"),
        (1 / 3, "33.4 %"),
        (1 / 50, "2 %"),
        (1 / 51, "1.97 %"),
        (1 / 997, "0.101 %"),
        (0.99999, "100 %"),
        (1e-6, "0.0001 %"),
    ],
)
def test_shares_are_rounded_up(share: float, text: str) -> None:
    assert share_text(share) == text


def test_the_promise_is_that_of_the_threshold() -> None:
    """Thirty segments of ten windows, of which each is a block."""
    scores = np.random.default_rng(0).permutation(300).astype(float)
    blocks = Blocks.fit([Stretch(scores, np.arange(300))], 10, 1, 10.0)
    highest = Calibration.fit(blocks, 0.99)
    assert highest.lowered and blocks.count == 30
    at_most = "at most 3.23 % of normal windows flagged, and at most 1 event per"
    assert promise_text(highest, None) == f"{at_most} 310 steps"
    assert promise_text(highest, 60.0) == f"{at_most} 5.16 hours (310 steps)"
    limit = "3.23 % of normal windows flagged, or 1 event per"
    assert limit_text(30, 10, None) == f"{limit} 310 steps"
    assert limit_text(30, 10, 60.0) == f"{limit} 5.16 hours (310 steps)"
    # Every tenth window: of nine segments and more the highest score lies above.
    low = Calibration.fit(blocks, 0.9)
    peaks = scores.reshape(30, 10).max(axis=1)
    above = int((peaks > low.threshold()).sum())
    assert above > 3
    assert promise_text(low, None) == (
        f"at most 10 % of normal windows flagged, and at most 1 event per "
        f"{int(310 / (above + 1))} steps"
    )
