import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ModelConfig
from rvae.data.scaler import Scaler
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.scoring.bands import GROWTH, Bands, ranks
from tests.support.untrained import untrained_card
from tests.support.waves import waves

PLAIN = Scaler((0.0,), (1.0,), (0,))
NOTHING = np.zeros((1, 1))


def of(residuals: NDArray[Any] | list[int], blocks: int | None = None) -> Bands:
    """Bands of the residuals of a channel (n,), each a block of its own or in so many blocks."""
    blocks = blocks or len(residuals)
    return Bands.fit([np.asarray(residuals, dtype=np.float32).reshape(blocks, -1, 1)], blocks)


def limits(bands: Bands, quantile: float) -> tuple[float, ...]:
    return tuple(side.item() for side in bands.around(NOTHING, PLAIN, quantile))


def conformal(residuals: NDArray[np.float64], share: float) -> tuple[float, ...]:
    """Both bounds with this share on either side, of all residuals, as the paper has them."""
    ascending = np.sort(np.asarray(residuals, dtype=np.float32))
    rank = np.ceil((len(ascending) + 1) * (1 - share) - 1e-9).astype(int)
    return -np.sort(-ascending)[rank - 1], ascending[rank - 1]


def test_a_small_case_by_hand() -> None:
    bands = of([3, -1, 0, 7, -5, 2, 1, -2, 9])
    assert bands.largest_quantile == pytest.approx(0.8)
    assert limits(bands, 0.8) == (-5, 9)
    assert limits(bands, 0.61) == (-5, 9)
    assert limits(bands, 0.6) == (-2, 7)
    assert limits(bands, 0.01) == (0, 2)


@pytest.mark.parametrize("count", [1, 2, 3, 19, 40, 41, 399, 5000, 100_000])
@pytest.mark.parametrize("quantile", [0.01, 0.5, 0.9, 0.99, 0.999, 0.9999])
def test_no_narrower_than_what_all_residuals_would_give_and_hardly_wider(
    count: int, quantile: float
) -> None:
    residuals = np.random.default_rng(count).normal(size=count)
    bands, share = of(residuals), (1 - quantile) / 2
    if quantile > bands.largest_quantile:
        assert share * (count + 1) < 1
        return
    lower, upper = limits(bands, quantile)
    low, high = conformal(residuals, share)
    assert lower <= low and upper >= high
    # The ranks next to each other that are kept, and one that is not reached.
    low, high = conformal(residuals, max(share / GROWTH, 1 / (count + 1)))
    assert lower >= low and upper <= high
    if share * (count + 1) < 20:
        assert (lower, upper) == conformal(residuals, share)


def test_what_is_kept_is_little_however_many_there_were() -> None:
    residuals = np.random.default_rng(0).normal(size=1_000_000)
    bands = of(residuals)
    assert len(json.dumps(asdict(bands))) < 15_000
    assert bands.largest_quantile == pytest.approx(1 - 2e-6, abs=1e-9)
    for quantile in (0.5, 0.9, 0.99, 0.9999):
        lower, upper = limits(bands, quantile)
        inside = ((residuals >= lower) & (residuals <= upper)).mean()
        assert 0 < inside - quantile < (GROWTH - 1) * (1 - quantile) + 1e-5


@pytest.mark.parametrize("count", [1, 2, 20, 41, 42, 1000, 1 << 24])
def test_ranks_go_from_the_end_to_the_median(count: int) -> None:
    kept = ranks(count)
    assert kept[0] == 1 and kept[-1] == (count + 1) // 2
    gaps = np.diff(kept)
    assert ((gaps == 1) | (kept[1:] <= GROWTH * kept[:-1] + 1)).all() and (gaps > 0).all()


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "standard_exponential"])
def test_the_promise_is_kept_whatever_the_noise(quantile: float, draw: str) -> None:
    """Over many calibrations the mean share of fresh residuals inside is at least q."""
    random = np.random.default_rng(0)
    shares = []
    for _ in range(400):
        lower, upper = limits(of(getattr(random, draw)(200)), quantile)
        fresh = getattr(random, draw)(500)
        shares.append(((fresh >= lower) & (fresh <= upper)).mean())
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) > quantile - 4 * error
    assert np.mean(shares) < quantile + (GROWTH - 1) * (1 - quantile) + 2 / 201 + 4 * error


def test_skewed_noise_has_a_skewed_band() -> None:
    random = np.random.default_rng(0)
    lower, upper = limits(of(random.exponential(size=200_000) - 1), 0.9)
    # Five standard errors of a quantile, and what the next kept rank may be further out.
    assert lower == pytest.approx(np.log(1 / 0.95) - 1, abs=0.003 + 0.05 * (GROWTH - 1))
    assert upper == pytest.approx(np.log(20) - 1, abs=0.05 + (GROWTH - 1))


@pytest.mark.parametrize(("blocks", "quantile"), [(30, 0.9), (40, 0.95), (200, 0.99)])
def test_the_promise_is_kept_of_windows_with_an_offset_of_their_own(
    blocks: int, quantile: float
) -> None:
    """An error that all values of a window have in common is seen once a window."""
    random, window = np.random.default_rng(0), 20
    inside: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(500):
        offset = random.normal(size=(blocks + 1, 1)) * 3
        *run, fresh = offset + random.normal(size=(blocks + 1, window))
        for counted in (True, False):
            lower, upper = limits(of(np.ravel(run), blocks if counted else None), quantile)
            inside[counted].append(((fresh >= lower) & (fresh <= upper)).mean())
    error = np.std(inside[True]) / np.sqrt(500)
    assert np.mean(inside[True]) > quantile - 3 * error
    if blocks == 30:  # as if the values of a window were independent
        assert np.mean(inside[False]) < quantile - 3 * error


def test_a_window_with_many_values_tells_no_higher_quantile() -> None:
    residuals = np.random.default_rng(0).normal(size=1000)
    alone, together = of(residuals), of(residuals, 10)
    assert alone.largest_quantile == pytest.approx(1 - 2 / 1001)
    assert together.largest_quantile == pytest.approx(1 - 2 / 11)
    with pytest.raises(FieldError, match="10 independent blocks") as caught:
        together.around(NOTHING, PLAIN, 0.9)
    assert caught.value.field == "quantile"
    lower, upper = limits(together, together.largest_quantile)
    assert (lower, upper) == (residuals.min().astype("f4"), residuals.max().astype("f4"))


@pytest.mark.parametrize("quantile", [0.0, -1.0, 1.0, 0.9991])
def test_a_quantile_that_nothing_tells_is_said(quantile: float) -> None:
    with pytest.raises(FieldError, match="999 independent blocks") as caught:
        of(np.arange(999)).around(NOTHING, PLAIN, quantile)
    assert caught.value.field == "quantile"


@pytest.mark.parametrize("quantile", [0.9, 0.95, 0.98, 0.99, 0.998, 1 - 2 / 7001])
def test_a_quantile_that_just_can_be_told_is(quantile: float) -> None:
    count = round(2 / (1 - quantile)) - 1
    assert limits(of(np.arange(count)), quantile) == (0, count - 1)


def test_bounds_are_in_the_datas_units_and_of_numbers_alone() -> None:
    scaler = Scaler((20.0, 0.0, -5.0, 0.0), (2.0, 1.0, 10.0, 1.0), (0, 3, 0, 0))
    run = np.full((99, 4, 4), np.nan, dtype=np.float32)
    run[:, 0, 0] = np.linspace(-1, 1, 99)
    run[:, 2, 2] = np.linspace(0, 1, 99)
    run[0, 3, 2] = 0.5
    bands = Bands.fit([run[:50], run[50:]], 99)
    assert [channel.count for channel in bands.channels] == [99, 0, 100, 0]
    expected = np.array([[20.0, 3.0, 100.0, 1.0], [np.nan, 1.0, np.nan, 1.0]])
    lower, upper = bands.around(expected, scaler, 0.98)
    np.testing.assert_allclose(lower, [[18, np.nan, 100, np.nan], [np.nan] * 4])
    np.testing.assert_allclose(upper, [[22, np.nan, 110, np.nan], [np.nan] * 4])
    assert lower.dtype == upper.dtype == np.float64


def test_a_channel_with_too_few_values_has_no_band_and_keeps_none_from_others() -> None:
    run = np.full((99, 1, 2), np.nan, dtype=np.float32)
    run[:, :, 0] = np.arange(99)[:, None]
    run[:9, :, 1] = np.arange(9)[:, None]
    scaler = Scaler((0.0, 0.0), (1.0, 1.0), (0, 0))
    bands = Bands.fit([run], 99)
    lower, upper = bands.around(np.zeros((1, 2)), scaler, 0.98)
    np.testing.assert_array_equal([lower[0], upper[0]], [[0, np.nan], [98, np.nan]])
    lower, upper = bands.around(np.zeros((1, 2)), scaler, 0.8)
    assert lower[0, 1] == 0 and upper[0, 1] == 8


def test_where_nothing_is_a_number_there_is_no_band_and_no_error() -> None:
    bands = Bands.fit([np.full((9, 4, 1), np.nan, dtype=np.float32)], 9)
    assert bands.largest_quantile == 0
    lower, upper = bands.around(np.ones((3, 1)), Scaler((0.0,), (1.0,), (2,)), 0.999)
    assert np.isnan([lower, upper]).all()


def test_bounds_stay_in_the_unit_interval() -> None:
    run = np.linspace(-0.5, 0.5, 99, dtype=np.float32).reshape(99, 1, 1)
    bands = Bands.fit([run], 99)
    scaler = replace(PLAIN, unit_interval=True)
    lower, upper = bands.around(np.array([[0.1], [0.5], [0.9]]), scaler, 0.9)
    assert lower[0] == 0 and upper[2] == 1
    assert 0 < lower[1] < 0.1 and 0.9 < upper[1] < 1


@pytest.mark.parametrize(
    "card",
    [
        untrained_card(),
        untrained_card(channels=("heat", "mode"), categories={"mode": ("off", "on")}),
        untrained_card(ModelConfig("dense", likelihood="bernoulli"), ("duty",)),
    ],
    ids=["numbers", "categories", "bernoulli"],
)
def test_a_card_has_them_again_after_json(card: Card) -> None:
    again = Card.from_dict(json.loads(json.dumps(card.to_dict(), allow_nan=False)))
    assert again.bands == card.bands
    assert Card.from_dict(card.to_dict()).bands == card.bands


def test_checkpoint_and_folder_have_the_same(
    checkpoint: Path, engine: Engine, tmp_path: Path
) -> None:
    Artifact.load(checkpoint).save(tmp_path)
    assert Engine.load(tmp_path).card.bands == engine.card.bands
    (of_height,) = engine.card.bands.channels
    assert (of_height.count, of_height.blocks) == (90 * 32, 90)


def share_inside(
    engine: Engine, series: Sequence[Any], quantile: float, stride: int | None = None
) -> float:
    inside = []
    for values, analysis in zip(series, engine.analyse(series, stride), strict=True):
        bounds = engine.card.bands.around(analysis.reconstruction, engine.card.scaler, quantile)
        inside.append((values >= bounds[0]) & (values <= bounds[1]))
    return float(np.mean(inside))


@pytest.mark.parametrize("quantile", [0.9, 0.97])
def test_a_model_keeps_the_promise_on_fresh_normal_data(engine: Engine, quantile: float) -> None:
    inside = share_inside(engine, list(waves(400, seed=11)), quantile)
    # A calibration on 90 windows, as if a third of the values in each counted.
    error = np.sqrt(quantile * (1 - quantile) / (90 * 32 / 3))
    # One block of 91 is added to either side.
    assert quantile - 3 * error < inside < quantile + 2 / 91 + 4 * error


def test_anomalies_leave_the_band(engine: Engine, anomalous: list[np.ndarray]) -> None:
    assert share_inside(engine, anomalous, 0.97) < 0.9


@pytest.mark.parametrize("quantile", [0.9, 0.97])
def test_where_windows_overlap_the_band_is_on_the_safe_side(
    engine: Engine, quantile: float
) -> None:
    """A mean over windows is nearer to the truth than one of them."""
    random = np.random.default_rng(5)
    turns = np.arange(128)[:, None] / 32 + random.uniform(size=(100, 1, 1))
    clean = random.uniform(0.5, 1.5, (100, 1, 1)) * np.sin(2 * np.pi * turns)
    series = list(20 + 3 * (clean + random.normal(0, 0.05, clean.shape)))
    single = share_inside(engine, series, quantile, stride=32)
    averaged = share_inside(engine, series, quantile, stride=1)
    assert averaged > single
    assert averaged > quantile


def test_joined_residuals_are_those_of_both_with_each_block_alike() -> None:
    """No narrower than the residuals of equally many windows of both, and hardly wider."""
    random = np.random.default_rng(8)
    calm, wild = (random.normal(size=(2, 3000)) * [[1], [3]]).astype(np.float32)
    # Three quarters of the blocks are calm, though only half of the residuals are.
    joined = of(calm, 300).joined(of(wild, 100))
    both = of(np.concatenate([calm, wild[:1000]]), 400)
    assert joined.channels[0].blocks == 400 and joined.largest_quantile == both.largest_quantile
    for quantile in (0.1, 0.5, 0.9, 0.98, joined.largest_quantile):
        (low, high), (least, most) = limits(joined, quantile), limits(both, quantile)
        slack = 0.15 * (most - least)
        assert least - slack < low < least + slack and most - slack < high < most + slack


def test_joining_never_makes_bounds_narrower_than_those_of_all_residuals() -> None:
    random = np.random.default_rng(9)
    for count in (1, 2, 30, 500):
        parts = random.normal(size=(2, count)).astype(np.float32)
        joined, both = of(parts[0]).joined(of(parts[1])), of(parts.reshape(-1))
        assert joined.channels[0].count == 2 * count
        for quantile in np.linspace(0.01, joined.largest_quantile, 7) if count > 2 else ():
            (low, high), (least, most) = limits(joined, quantile), limits(both, quantile)
            assert low <= least and most <= high


def test_a_channel_without_residuals_joins_as_nothing() -> None:
    some, none = of([3, 1, 2]).channels[0], Bands.fit([np.full((2, 2, 1), np.nan)], 2).channels[0]
    assert some.joined(none) == none.joined(some) == some
    assert none.joined(none).count == 0
