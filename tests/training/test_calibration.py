from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from tests.support.short_training import train, train_on


def test_calibration_windows_without_a_value_do_not_count(tmp_path: Path) -> None:
    values = np.sin(np.arange(2000) / 5)[:, None]
    values[-280:] = np.nan
    with pytest.raises(FieldError) as caught:
        train_on(values, tmp_path, stride=16)
    assert caught.value.field == "training.quantile"
    assert not (tmp_path / "run").exists()


def test_a_calibration_keeps_so_many_scores_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.sin(np.arange(4000) / 5)[:, None]
    values[-500:-10] = np.nan
    monkeypatch.setattr("rvae.training.calibration.MAX_SCORES", 100)
    calibration = train_on(values, tmp_path).card.calibration
    assert 9 <= len(calibration.scores) < 50
    assert calibration.independent == len(calibration.scores)
    # Where too few of the chosen windows hold a value, all are taken.
    values[-585:] = np.nan
    card = train_on(values, tmp_path).card
    assert len(card.calibration.scores) >= 9
    assert card.bands.largest_quantile > 0


def test_bands_are_taken_from_so_many_values_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tmp_path).card.bands
    assert whole.channels[0].count == 18 * 16
    monkeypatch.setattr("rvae.training.calibration.MAX_RESIDUALS", 5 * 16)
    some = train(tmp_path).card.bands
    assert some.channels[0].count == some.channels[0].independent == 5 * 16


def test_windows_that_overlap_count_once_in_bands(tmp_path: Path) -> None:
    (height,) = train_on(np.sin(np.arange(2000) / 5)[:, None], tmp_path).card.bands.channels
    steps = round(0.15 * (2000 - 2 * 16))
    assert height.count == (steps - 15) * 16
    assert height.independent == steps // 16 * 16
