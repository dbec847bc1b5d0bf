"""Latents of windows, and what may colour them."""

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.plots.encoded_windows import encode_windows


def series(windows: list[np.ndarray]) -> list[Series]:
    """Each window in a series of its own, every third of class 1, the last one anomalous."""
    found = []
    for i, values in enumerate(windows):
        labels = np.zeros(len(values), bool)
        labels[5] = i == len(windows) - 1
        found.append(Series(values, str(i), labels, None, np.full(len(values), int(i % 3 == 0))))
    return found


def test_every_window_has_its_latent_score_class_and_label(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    given = series(fresh[:7])
    found = encode_windows(engine, given)
    analyses = engine.analyse(given)
    latent = np.concatenate([one.latent for one in analyses])
    np.testing.assert_allclose(found.latent, latent, rtol=1e-4, atol=1e-5)
    scores = np.concatenate([one.score for one in analyses])
    np.testing.assert_allclose(found.scores, scores, rtol=1e-4, atol=1e-5)
    assert found.classes.tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert found.anomalous.tolist() == [False] * 6 + [True]


def test_of_many_windows_some_are_chosen_evenly(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.plots.encoded_windows.MAX_LATENTS", 4)
    given = series(fresh[:7])
    found, every = encode_windows(engine, given), engine.analyse(given)
    expected = [every[i].latent[0] for i in (0, 2, 4, 6)]
    np.testing.assert_allclose(found.latent, expected, rtol=1e-4, atol=1e-5)
    assert found.anomalous.tolist() == [False, False, False, True]


def test_a_stride_counts_windows(engine: Engine, fresh: list[np.ndarray]) -> None:
    long = Series(np.concatenate(fresh[:3]))
    assert len(encode_windows(engine, [long], 32).latent) == 3
    assert (encode_windows(engine, [long], 32).classes == -1).all()


def test_a_series_that_does_not_fit_is_said(engine: Engine) -> None:
    with pytest.raises(FieldError, match="series"):
        encode_windows(engine, [Series(np.zeros((40, 2)))])
