"""Models that rvae saved in format 5: files that its code of that time has written."""

from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card, ModelSpec
from rvae.inference.checkpoints import read_spec
from rvae.inference.engine import Engine

DATA = Path(__file__).parent / "data" / "format_5"
# Three series of two channels, one of them with an anomaly: scores of their windows, and what the
# calibration of that time says of them; and widths of the bands of QUANTILES (C, 3).
EXPECTED = np.load(DATA / "expected.npz")
QUANTILES = (0.5, 0.8, 0.9)
# Its calibration has 221 windows at stride 1, of which 19 do not overlap: 230 steps of 12.
WINDOWS, INDEPENDENT = 221, 19


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(DATA / "model.ckpt")


def test_scores_are_those_of_the_time_when_it_was_saved(engine: Engine) -> None:
    analyses = engine.analyse(list(EXPECTED["values"]), 1)
    found = np.stack([analysis.score for analysis in analyses])
    np.testing.assert_allclose(found, EXPECTED["score"], rtol=1e-4, atol=1e-6)


def test_its_windows_count_as_often_as_they_do_not_overlap(engine: Engine) -> None:
    calibration = engine.card.calibration
    assert len(calibration.scores) == WINDOWS
    assert calibration.blocks.count == INDEPENDENT
    assert calibration.blocks.steps == engine.card.window
    assert {channel.blocks for channel in engine.card.bands.channels} == {INDEPENDENT}
    assert (calibration.quantile, calibration.lowered) == (0.9, False)
    assert calibration.contamination == 0.02


def test_probabilities_are_no_lower_than_they_were(engine: Engine) -> None:
    calibration, score = engine.card.calibration, EXPECTED["score"]
    now, before = calibration.tail_probability(score), EXPECTED["tail_probability"]
    assert (now >= before).all()
    # A tail beyond the ranks made it far lower: the anomaly is above all calibration scores.
    assert before.min() < 0.001 and now.min() == pytest.approx(1 / (INDEPENDENT + 1))


def test_the_threshold_is_that_of_the_time_but_for_one_rank(engine: Engine) -> None:
    calibration, score = engine.card.calibration, EXPECTED["score"]
    ends = sorted([calibration.threshold(), float(EXPECTED["threshold"])])
    assert np.diff(np.searchsorted(calibration.scores, ends))[0] <= 1
    flagged = score > calibration.threshold()
    assert flagged[1].any()
    np.testing.assert_array_equal(flagged, calibration.tail_probability(score) <= 0.1 + 1e-9)


def test_bands_are_no_narrower_than_they_were(engine: Engine) -> None:
    widths = [
        [np.subtract(*channel.bounds(quantile)[::-1]) for quantile in QUANTILES]
        for channel in engine.card.bands.channels
    ]
    assert (np.array(widths) >= EXPECTED["width"]).all()


def test_it_is_saved_in_the_format_of_today(tmp_path: Path) -> None:
    old = Artifact.load(DATA / "model.ckpt")
    old.save(tmp_path)
    again = Artifact.load(tmp_path)
    assert again.checksum == old.checksum
    assert again.card.to_dict() == old.card.to_dict() and again.card.to_dict()["format"] == 6


def test_an_unfinished_training_run_is_known_but_is_no_model() -> None:
    spec = read_spec(DATA / "unfinished.ckpt")
    assert type(spec) is ModelSpec and not isinstance(spec, Card)
    assert spec.channels == ("heat", "speed") and spec.window == 12
    with pytest.raises(FieldError, match="unfinished training run") as caught:
        Artifact.load(DATA / "unfinished.ckpt")
    assert caught.value.field == "checkpoint"
