from typing import Any

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.inference.engine import Engine
from tests.support.untrained import KINDS, untrained_engine

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def test_where_scores_are_too_many_stretches_are_evenly_chosen(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    series = [Series(values) for values in (np.concatenate(fresh[:20]), fresh[20], fresh[21])]
    every = np.concatenate([analysis.score for analysis in engine.analyse(series)])
    windows = engine.windows(series, 1)
    whole = engine.runner.stretches(windows, 10_000)
    assert [len(one.scores) for one in whole] == [len(one) - 31 for one in series]
    np.testing.assert_allclose(np.concatenate([one.scores for one in whole]), every, **CLOSE)
    monkeypatch.setattr("rvae.inference.runner.WINDOWS_PER_STRETCH", 20)
    some = engine.runner.stretches(windows, 80)
    assert len(some) == 4 and all(1 <= len(one.scores) <= 20 for one in some)
    assert some[0].starts[0] == 0 and (np.diff(some[1].starts) == 1).all()
    for one in some[:3]:
        np.testing.assert_allclose(one.scores, every[one.starts], **CLOSE)


def test_residuals_are_what_single_windows_leave(engine: Engine, fresh: list[np.ndarray]) -> None:
    gaps = np.concatenate(fresh[:4])
    gaps[[3, 50]] = np.nan
    windows = engine.windows([Series(gaps)], 8)
    ((found, scores),) = engine.runner.residuals(windows, 10_000)
    scale = engine.card.scaler.scale[0]
    (whole,) = engine.analyse([gaps], 8)
    np.testing.assert_allclose(scores, whole.score, **CLOSE)
    for start, residuals in zip(whole.starts, found, strict=True):
        (one,) = engine.analyse([gaps[start : start + 32]])
        expected = (gaps[start : start + 32] - one.reconstruction) / scale
        np.testing.assert_allclose(residuals, expected, rtol=1e-3, atol=1e-4)
    ((some, _),) = engine.runner.residuals(windows, 3)
    np.testing.assert_allclose(some, found[[0, 6, 12]], rtol=1e-4, atol=1e-5)


def test_a_run_of_several_batches_is_that_of_each() -> None:
    engine = untrained_engine(KINDS["several"])
    size = engine.runtime.windows_per_run
    values = np.random.default_rng(0).normal(20, 2, (2 * size + 50, 2))
    values[::7, 1] = np.nan
    windows = engine.windows([Series(values)], 1)
    whole = engine.runner.run(windows)
    assert len(windows) > 2 * size
    for first in (0, size, 2 * size):
        chosen = np.arange(first, min(first + size, len(windows)))
        batch = engine.runner.run(windows.subset(chosen))
        np.testing.assert_array_equal(whole.latent[chosen], batch.latent)
        np.testing.assert_array_equal(whole.mean[chosen], batch.mean)
        np.testing.assert_array_equal(whole.evidence["nll"][chosen], batch.evidence["nll"])
