"""Latents of windows, their places and classes."""

from dataclasses import replace

import numpy as np
import pytest

from rvae.config import ReaderConfig
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError
from rvae.evaluation.latents import latents_of
from rvae.inference.engine import Engine
from tests.support.untrained import MODE, untrained_card, untrained_engine
from tests.support.waves import waves

CLASSES = Vocabulary(classes=("calm", "wild"))


def dataset(*series: Series) -> Dataset:
    return Dataset(list(series), ("height",), ReaderConfig(), CLASSES)


def test_each_window_has_its_place_latent_and_values(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 32 * 3)  # several stretches
    values = np.concatenate(waves(4, seed=3))
    found = latents_of(engine, dataset(Series(values, "a"), Series(values[:40], "b")), 8)
    (whole, short) = engine.analyse([values, values[:40]], 8)
    np.testing.assert_allclose(found.latent, np.r_[whole.latent, short.latent], atol=1e-5)
    assert found.places["series"].tolist() == ["a"] * 13 + ["b"] * 2
    assert found.places["start"].tolist() == [*range(0, 97, 8), 0, 8]
    assert (found.places["end"] - found.places["start"] == 32).all()
    assert found.groups.tolist() == [0] * 13 + [1] * 2
    scaler = engine.card.scaler
    for window, start in zip(found.windows(), found.places["start"], strict=True):
        expected = scaler.transform(values[start : start + 32])
        np.testing.assert_array_equal(window, expected[:, 0])


def test_pieces_of_one_series_are_one_group(engine: Engine) -> None:
    values = np.concatenate(waves(2, seed=3))
    pieces = [Series(values, f"a/{i}", origin="a") for i in (1, 2)]
    found = latents_of(engine, dataset(*pieces, Series(values, "a/3")), 32)
    assert found.places["series"].tolist() == ["a/1", "a/1", "a/2", "a/2", "a/3", "a/3"]
    assert found.groups.tolist() == [0, 0, 0, 0, 1, 1]


def test_a_windows_class_is_that_of_most_of_its_steps(engine: Engine) -> None:
    values = np.concatenate(waves(3, seed=3))
    codes = np.repeat([0, 1, -1], [60, 20, 16])
    found = latents_of(engine, dataset(Series(values, classes=codes)), 8)
    # From step 44 on half of a window is wild, and a tie goes to the first.
    assert found.classes.tolist() == ["calm"] * 6 + ["wild"] * 2 + [None]
    assert found.classified.tolist() == [True] * 8 + [False]
    assert not latents_of(engine, dataset(Series(values))).classified.any()


def test_windows_without_a_value_are_left_out_and_counted(engine: Engine) -> None:
    values = waves(2, seed=3)
    values[0] = np.nan
    found = latents_of(engine, dataset(*(Series(one, str(i)) for i, one in enumerate(values))))
    assert (len(found), found.unobserved) == (1, 1)
    assert found.places["series"].tolist() == ["1"]
    assert len(found.windows()) == 1
    with pytest.raises(FieldError, match="no window with a value"):
        latents_of(engine, dataset(Series(values[0])))


def test_categories_of_windows_are_spread_out() -> None:
    card = untrained_card(channels=("heat", "mode"), categories=MODE, window=4)
    engine = untrained_engine(card)
    values = np.array([[20.0, 1], [22, 3], [np.nan, 2], [20, np.nan]])
    found = latents_of(engine, replace(dataset(Series(values)), channels=card.channels))
    gap = np.nan
    expected = [0, 1, 0, 0, 1, 0, 0, 1, gap, 0, 1, 0, 0, gap, gap, gap]
    np.testing.assert_array_equal(found.windows(), [expected])
