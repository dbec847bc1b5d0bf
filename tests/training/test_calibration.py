from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.scoring.blocks import Stretch, dependence_steps
from tests.support.short_training import QUICK, train, train_on


def test_a_calibration_part_without_a_value_is_told_before_training(tmp_path: Path) -> None:
    values = np.sin(np.arange(2000) / 5)[:, None]
    values[-310:] = np.nan
    with pytest.raises(FieldError) as caught:
        train_on(values, tmp_path, stride=16)
    assert caught.value.field == "data.calibration"
    assert not (tmp_path / "run").exists()


def test_a_calibration_keeps_so_many_scores_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.sin(np.arange(4000) / 5)[:, None]
    monkeypatch.setattr("rvae.training.calibration.MAX_SCORES", 100)
    monkeypatch.setattr("rvae.inference.runner.WINDOWS_PER_STRETCH", 20)
    blocks = train_on(values, tmp_path).card.calibration.blocks
    assert 80 <= len(blocks.scores) <= 100
    assert (blocks.segments >= 16).all()  # neighbours, or the highest of a segment would be missed
    # Where none of the chosen windows holds a value, all are taken.
    values[-585:-30] = np.nan
    card = train_on(values, tmp_path).card
    assert len(card.calibration.scores) > 0
    assert card.bands.largest_quantile > 0


def test_bands_are_taken_from_so_many_values_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tmp_path).card.bands
    assert whole.channels[0].count == 18 * 16
    monkeypatch.setattr("rvae.inference.runner.MAX_RESIDUALS", 5 * 16)
    some = train(tmp_path).card.bands
    assert some.channels[0].count == 5 * 16 and some.channels[0].blocks == 18


def test_windows_that_overlap_are_one_block(tmp_path: Path) -> None:
    card = train_on(np.sin(np.arange(2000) / 5)[:, None], tmp_path).card
    steps = round(0.15 * (2000 - 2 * 16))
    (height,) = card.bands.channels
    assert height.count == (steps - 15) * 16 and len(card.calibration.scores) == steps - 15
    assert height.blocks == card.calibration.blocks.count <= (steps - 15) // 16


def test_dependence_is_seen_in_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of the calibration part alone are too few to show it."""
    seen: list[int] = []

    def watched(parts: list[list[Stretch]], stride: int) -> float:
        seen.extend(sum(len(one.scores) for one in part) for part in parts)
        return dependence_steps(parts, stride)

    monkeypatch.setattr("rvae.training.calibration.dependence_steps", watched)
    card = train_on(np.sin(np.arange(2000) / 5)[:, None], tmp_path).card
    counts = card.training["windows"]
    assert seen == [counts["calibration"], counts["training"], counts["validation"]]


def test_a_card_holds_how_the_training_part_is_distributed(tmp_path: Path) -> None:
    values = np.concatenate([np.random.default_rng(0).uniform(size=1400), np.full(600, 9.0)])
    (height,) = train_on(values[:, None], tmp_path).card.sketch
    np.testing.assert_allclose(height.edges, np.arange(1, 10) / 10, atol=0.05)  # it comes first
    np.testing.assert_allclose(height.shares, 0.1, atol=0.01)


def test_alarms_define_the_threshold(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = (np.sin(np.arange(6000) / 5) + random.normal(0, 0.3, 6000))[:, None]
    rate = 1 / 300
    calibration = train_on(
        values, tmp_path, replace(QUICK, alarms="1 per 300 steps")
    ).card.calibration
    assert calibration.events_per_step(calibration.threshold()) <= rate and not calibration.lowered
    with pytest.raises(FieldError, match="has no times") as caught:
        train_on(values, tmp_path, replace(QUICK, alarms="1 per week"))
    assert caught.value.field == "training.alarms"
