import numpy as np
import pytest

from rvae.data.series import Series
from rvae.evaluation.band_reliability import BandReliability
from rvae.inference.engine import Engine
from tests.support.waves import waves


def test_values_beyond_the_band_are_counted(engine: Engine, fresh: list[np.ndarray]) -> None:
    card = engine.card
    quantile = min(card.calibration.quantile, card.bands.largest_quantile)
    found, beyond, known = BandReliability(card), 0, 0
    for values, analysis in zip(fresh, engine.analyse(fresh), strict=True):
        found.add(Series(values), analysis, np.zeros(len(analysis.starts), bool))
        columns = card.band(analysis.reconstruction, quantile)
        beyond += ((values < columns["lower"]) | (values > columns["upper"])).sum()
        known += values.size
    assert found.rate is not None
    assert found.rate.promised == pytest.approx(1 - quantile)
    assert found.rate.measured == pytest.approx(beyond / known)
    assert found.rate.verdict != "broken"


def test_points_of_windows_that_are_left_out_do_not_count(engine: Engine) -> None:
    values = np.concatenate(waves(3, seed=5))
    values[40] += 1000
    (analysis,) = engine.analyse([values], 32)
    found = BandReliability(engine.card)
    found.add(Series(values), analysis, np.array([False, True, False]))
    assert found.rate is not None and found.rate.high < 1
    everything = BandReliability(engine.card)
    everything.add(Series(values), analysis, np.ones(3, bool))
    assert everything.rate is None


def test_missing_values_are_neither_inside_nor_beyond(engine: Engine) -> None:
    values = np.concatenate(waves(2, seed=6))
    values[5] = np.nan
    (analysis,) = engine.analyse([values], 32)
    found = BandReliability(engine.card)
    found.add(Series(values), analysis, np.zeros(2, bool))
    values[5] = 1000.0
    with_outlier = BandReliability(engine.card)
    with_outlier.add(Series(values), analysis, np.zeros(2, bool))
    assert found.rate is not None and with_outlier.rate is not None
    assert with_outlier.rate.measured > found.rate.measured
