import numpy as np
import pytest

from rvae.data.window_dataset import Batch
from rvae.inference.runtimes.parity import Comparison, compare
from rvae.inference.runtimes.runtime import Run, Runtime
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from rvae.scoring.evidence import Evidence, EvidenceScorer

# The threshold is 95, the median of what is not above it 48: a spread of 47.
CALIBRATION = Calibration.fit(Blocks.without_order(np.arange(1.0, 100), 99, 8), 0.95)


def of_scores(expected: list[float], found: list[float]) -> Comparison:
    return Comparison(np.array(expected), np.array(found), 0.0, 0.0)


def test_a_score_differs_by_a_share_of_the_way_to_the_threshold() -> None:
    assert (CALIBRATION.threshold(), CALIBRATION.spread) == (95, 47)
    assert of_scores([48, 95], [48, 90.3]).score(CALIBRATION) == pytest.approx(0.1)
    assert of_scores([48, 1], [48, 5.7]).score(CALIBRATION) == pytest.approx(0.1)


def test_far_from_a_usual_score_it_differs_by_a_share_of_its_own_way() -> None:
    far = 48 + 1000 * 47.0
    assert of_scores([far], [far + 47]).score(CALIBRATION) == pytest.approx(1e-3)
    assert of_scores([-far], [-far - 47]).score(CALIBRATION) == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_for_one_alone_differs_without_end(odd: float) -> None:
    for expected, found in (([odd, 1.0], [odd, 1.0]), ([odd], [odd])):
        assert of_scores(expected, found).score(CALIBRATION) == 0
    assert of_scores([odd, 1.0], [1.0, 1.0]).score(CALIBRATION) == np.inf
    assert of_scores([1.0, 1.0], [odd, 1.0]).score(CALIBRATION) == np.inf
    assert of_scores([np.inf], [-np.inf]).score(CALIBRATION) == np.inf


def test_probabilities_and_flags_are_those_of_each_calibration() -> None:
    scores = [10.0, 94.5, 95.5, np.nan]
    moved = [one + 2 for one in scores]
    comparison = of_scores(scores, moved)
    assert comparison.flags(CALIBRATION, CALIBRATION) == 1
    assert comparison.tail_probability(CALIBRATION, CALIBRATION) == pytest.approx(0.02)
    known = np.array(scores[:3] * 7)
    other = CALIBRATION.moved(known, known + 2)
    assert comparison.flags(CALIBRATION, other) == 0
    assert comparison.tail_probability(CALIBRATION, other) == pytest.approx(0)


class Shifted(Runtime):
    """Tells the first value of a window, and adds to what it tells."""

    name, windows_per_run, concurrency = "shifted", 8, 1

    def __init__(self, latent: float, mean: float, score: float) -> None:
        self.added = latent, mean, score

    def run(self, batch: Batch) -> Run:
        latent, mean, score = self.added
        first = batch.x[:, 0]
        return Run(first + latent, batch.x + mean * first[:, None], {"value": first[:, 0] + score})


class Value(EvidenceScorer):
    def score(self, evidence: Evidence) -> np.ndarray:
        return evidence["value"].astype(np.float64)

    def contributions(self, evidence: Evidence) -> np.ndarray:
        raise NotImplementedError


def test_the_largest_differences_over_all_batches_are_kept() -> None:
    batches = [
        Batch(
            np.full((2, 3, 1), size, np.float32),
            np.zeros((2, 3, 0), np.float32),
            np.zeros(2, np.int64),
        )
        for size in (1.0, -4.0, 2.0)
    ]
    found = compare(
        Shifted(0, 0, 0),  # type: ignore[abstract]
        Shifted(0.5, 0.25, 3),  # type: ignore[abstract]
        Value(),
        batches,
    )
    assert (found.latent, found.reconstruction) == (0.5, 1.0)
    assert found.expected.tolist() == [1, 1, -4, -4, 2, 2]
    assert found.found.tolist() == [4, 4, -1, -1, 5, 5]
