"""Another calibration of a model, by new normal data and judged events."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ModelConfig, RecurrentConfig, ScoringConfig
from rvae.data.judged_events import JudgedEvent
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.inference.recalibration import Recalibrated, Request, name_of
from rvae.inference.recalibration import recalibrate as by_engine
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from tests.support.trained import train_on_waves
from tests.support.untrained import KINDS, MODE, untrained_artifact, untrained_card
from tests.support.waves import waves

WINDOW = 8
ARTIFACT = untrained_artifact(KINDS["numbers"])
ENGINE = Engine(ARTIFACT)
recalibrate = partial(by_engine, ENGINE, ARTIFACT)


def noise(steps: int, seed: int, scale: float = 2.0, channels: int = 1) -> Series:
    """Values that are drawn independently of each other, of a scale that the model expects."""
    random = np.random.default_rng(seed)
    return Series(20 + random.normal(0, scale, (steps, channels)), f"noise {seed}")


def scores(series: Series) -> NDArray[np.float64]:
    return ENGINE.analyse([series])[0].score


def calibrated(steps: int = 4000, seed: int = 99, quantile: float = 0.95) -> Recalibrated:
    """A model with the noise as its calibration."""
    return recalibrate([noise(steps, seed)], request=Request(quantile), replacing=True)


BEFORE = calibrated()
again = partial(by_engine, ENGINE, BEFORE.artifact)


def with_bumps(places: list[int], heights: list[float], steps: int = 4000) -> Series:
    """Noise with a bump of two steps at each place."""
    series = noise(steps, 5)
    for place, height in zip(places, heights, strict=True):
        series.values[place : place + 2] = 20 + height
    return series


def test_new_scores_are_added_to_the_old_blocks() -> None:
    old, new = BEFORE.artifact.card.calibration, noise(800, 1)
    found = again([new], source="new.csv")
    calibration = found.artifact.card.calibration
    np.testing.assert_array_equal(
        calibration.scores, np.sort(np.concatenate([old.scores, scores(new)]))
    )
    assert calibration.blocks.count == old.blocks.count + found.change.blocks
    assert found.change.windows == 793 and found.change.blocks <= 100
    assert found.change.kind == "added" and found.change.data == "new.csv"
    assert found.artifact.card.history == (BEFORE.change, found.change)
    assert calibration.quantile == 0.95 and not calibration.lowered
    assert BEFORE.artifact.card.calibration is old  # the given model stays as it is
    assert found.artifact.weights is ARTIFACT.weights
    bands = found.artifact.card.bands
    assert bands.channels[0].blocks == calibration.blocks.count
    assert bands.channels[0].count > BEFORE.artifact.card.bands.channels[0].count


def test_new_scores_take_the_place_of_the_old_ones() -> None:
    new = noise(800, 1, scale=8.0)
    found = again([new], replacing=True)
    calibration, bands = found.artifact.card.calibration, found.artifact.card.bands
    np.testing.assert_array_equal(calibration.scores, np.sort(scores(new)))
    assert found.change.threshold > found.change.threshold_before
    assert calibration.threshold() == found.change.threshold
    assert bands.channels[0].count == 793 * WINDOW
    expected = np.full((1, 1), 20.0)
    wide, narrow = (
        card.bands.around(expected, card.scaler, 0.9)[1].item()
        for card in (found.artifact.card, BEFORE.artifact.card)
    )
    assert wide - 20 > 2 * (narrow - 20)


def test_labelled_steps_are_left_out() -> None:
    series = with_bumps([400], [1000.0], steps=1000)
    labels = np.zeros(1000, dtype=bool)
    labels[400:402] = True
    told = again([replace(series, labels=labels)])
    assert told.change.windows == 400 - 7 + 598 - 7
    assert told.artifact.card.calibration.scores[-1] < scores(series).max()
    untold = again([series])
    assert untold.artifact.card.calibration.scores[-1] == scores(series).max()


def test_false_alarms_are_normal_and_confirmed_events_stay_flagged() -> None:
    """As many false alarms as the promise does not allow raise the threshold above them."""
    alarms, real = list(range(100, 3700, 300)), 3900
    series = with_bumps([*alarms, real], [30.0] * len(alarms) + [80.0])
    rare = Request(alarms="1 per 3000 steps")
    before = recalibrate([noise(4000, 99)], request=rare, replacing=True)
    of_alarms, of_real = scores(series)[alarms], scores(series)[real]
    assert (of_alarms > before.change.threshold).all() and of_real > of_alarms.max()
    events = [JudgedEvent(0, place, place + 2, "false alarm") for place in alarms]
    events.append(JudgedEvent(0, real, real + 2, "confirmed"))
    found = by_engine(ENGINE, before.artifact, [series], events)
    assert found.change.false_alarms == 12 and found.change.confirmed == 1
    # In the 8,000 steps of both, that is two.
    assert found.still_flagged["false alarm"] <= 2 and found.still_flagged["confirmed"] == 1
    threshold = found.artifact.card.calibration.threshold()
    assert (of_alarms > threshold).sum() <= 2 and of_real > threshold
    # A promise that allows for all of them flags them still.
    assert again([series], events, Request(0.9)).still_flagged["false alarm"] == 12


def test_what_nobody_has_judged_is_left_out_with_its_surroundings() -> None:
    series = with_bumps([1000], [1000.0])
    found = again([series], [JudgedEvent(0, 1000, 1002, None)])
    assert found.change.unjudged == 1 and found.still_flagged == {}
    assert found.change.windows == (1000 - WINDOW) - 7 + (4000 - 1002 - WINDOW) - 7
    assert found.artifact.card.calibration.scores[-1] < scores(series).max()


@pytest.mark.parametrize("stride", [1, 3, 20])
def test_windows_at_events_are_those_of_the_stride(stride: int) -> None:
    """Also at the ends of a series, and where an event is between two windows."""
    card = replace(BEFORE.artifact.card, stride=stride)
    artifact = replace(BEFORE.artifact, card=card)
    series = with_bumps([0, 510, 1198], [1000.0] * 3, steps=1200)
    events = [JudgedEvent(0, at, at + 2, "confirmed") for at in (0, 510, 1198)]
    engine = Engine(artifact)
    (analysis,) = engine.analyse([series])
    touched = {
        place: analysis.score[(analysis.starts < place + 2) & (analysis.starts + WINDOW > place)]
        for place in (0, 510, 1198)
    }
    found = by_engine(engine, artifact, [series], events)
    threshold = found.change.threshold
    expected = sum((values > threshold).any() for values in touched.values())
    assert found.still_flagged.get("confirmed", 0) == expected >= 2


def test_after_a_change_of_scale_only_replacing_keeps_the_promise() -> None:
    """Means over many calibrations: noise became half as large again, for good."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(25):
        new, fresh = (noise(400, 1000 * kind + seed, scale=3.0) for kind in (1, 2))
        of_fresh = scores(fresh)
        for replacing, held in rates.items():
            found = again([new], request=Request(0.85), replacing=replacing)
            held.append((of_fresh > found.change.threshold).mean())
            assert found.differs
    kept, broken = np.array(rates[True]), np.array(rates[False])
    assert kept.mean() < 0.15 + 3 * kept.std() / np.sqrt(len(kept))
    assert kept.mean() > 0.05  # it is no promise that flags nothing
    assert broken.mean() > 0.2


def test_data_like_the_old_does_not_differ() -> None:
    found = again([noise(2000, 7)])
    share, low, high = found.above_before
    assert low < share < high and not found.differs
    assert share == pytest.approx(
        (scores(noise(2000, 7)) > found.change.threshold_before).mean(), abs=0.01
    )


def test_what_was_asked_for_at_last_is_kept() -> None:
    few = by_engine(ENGINE, ARTIFACT, [noise(100, 1)], replacing=True)
    assert few.artifact.card.calibration.lowered and few.change.asked_quantile == 0.95
    more = by_engine(ENGINE, few.artifact, [noise(2000, 2)])
    assert not more.artifact.card.calibration.lowered and more.change.quantile == 0.95
    alarms = "1 per 500 steps"
    rated = by_engine(ENGINE, more.artifact, [noise(2000, 3)], request=Request(alarms=alarms))
    calibration = rated.artifact.card.calibration
    assert calibration.events_per_step(calibration.threshold()) <= 1 / 500
    again_rated = by_engine(ENGINE, rated.artifact, [noise(2000, 4)])
    assert again_rated.change.asked_alarms == alarms
    by_quantile = by_engine(ENGINE, rated.artifact, [noise(2000, 4)], request=Request(0.9))
    assert by_quantile.change.asked_alarms is None and by_quantile.change.quantile == 0.9


def test_options_of_the_training_are_what_was_asked_for_first() -> None:
    card = replace(BEFORE.artifact.card, history=(), training={"options": {"quantile": 0.97}})
    found = by_engine(ENGINE, replace(ARTIFACT, card=card), [noise(1000, 1)])
    assert found.change.asked_quantile == found.change.quantile == 0.97


def test_what_was_left_out_as_contamination_is_a_smaller_share_of_more_windows() -> None:
    held = Calibration.fit(
        Blocks.without_order(np.linspace(0, 2, 1000), 100, WINDOW), 0.9, None, 0.1
    )
    assert len(held.scores) == 900
    artifact = replace(ARTIFACT, card=replace(ARTIFACT.card, calibration=held))
    added, replaced = (
        by_engine(ENGINE, artifact, [noise(1007, 1)], replacing=replacing).artifact.card.calibration
        for replacing in (False, True)
    )
    assert added.contamination == pytest.approx(100 / 2000)
    assert len(added.scores) == 1900  # nothing was left out again
    assert replaced.contamination == 0 and len(replaced.scores) == 1000


def test_missing_values_and_several_series_are_taken_as_they_are() -> None:
    gappy, whole = noise(300, 1), noise(100, 2)
    gappy.values[100:200] = np.nan
    found = again([gappy, whole])
    observed = np.concatenate([scores(gappy), scores(whole)])
    assert found.change.windows == (~np.isnan(observed)).sum() < len(observed)


def test_it_grows_no_further_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvae.inference.recalibration.MAX_KEPT", 1000)
    found = again([noise(800, 1)])
    assert 900 < len(found.artifact.card.calibration.scores) <= 1020


def test_little_data_has_blocks_as_long_as_the_old_ones() -> None:
    """It cannot show for how long its scores depend on each other."""
    old = BEFORE.artifact.card.calibration.blocks
    long = Blocks(old.scores, old.segments, np.full(len(old.segments) // 10, 10), old.steps)
    left = len(old.segments) - long.blocks.sum()
    long = replace(long, blocks=np.append(long.blocks, left) if left else long.blocks)
    card = replace(BEFORE.artifact.card, calibration=Calibration.fit(long, 0.9))
    found = by_engine(ENGINE, replace(ARTIFACT, card=card), [noise(WINDOW * 30, 1)])
    assert found.change.blocks == 2


@pytest.mark.parametrize(
    ("series", "options", "field", "message"),
    [
        ([Series(np.full((50, 1), np.nan))], {}, "data", "no window with a value"),
        (
            [Series(np.full((50, 1), 20.0), labels=np.arange(50) % 6 == 0)],
            {},
            "data",
            "no window of 8 steps without an anomaly",
        ),
        ([Series(np.full((5, 1), 20.0))], {}, "series", "5 points, the model needs 8"),
        ([Series(np.full((50, 2), 20.0))], {}, "series", r"expected \(N, 1\)"),
        ([Series(np.full((50, 1), 1e30))], {}, "heat", "1e\\+30 at step 0"),
        ([noise(100, 1)], {"request": Request(0.9999)}, "quantile", "the limit of"),
        ([noise(100, 1)], {"request": Request(1.5)}, "quantile", "between 0 and 1"),
        ([noise(100, 1)], {"request": Request(float("nan"))}, "quantile", "between 0 and 1"),
        ([noise(100, 1)], {"request": Request(0.9, "1 per 9 steps")}, "alarms", "combined"),
        ([noise(100, 1)], {"request": Request(alarms="often")}, "alarms", "is 'often', expected"),
        ([noise(100, 1)], {"request": Request(alarms="1 per week")}, "alarms", "has no times"),
        (
            [noise(100, 1)],
            {"request": Request(alarms="1 per 100000 steps")},
            "alarms",
            "must be at least 1 event per 4,088 steps",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    series: list[Series], options: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        again(series, **options)
    assert caught.value.field == field


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_can_be_calibrated_again(kind: str) -> None:
    artifact = untrained_artifact(KINDS[kind])
    card = artifact.card
    random = np.random.default_rng(0)
    numbers = random.uniform(0, 1, (300, len(card.channels)))
    codes = random.integers(1, 1 + len(MODE["mode"]), numbers.shape)
    values = np.where(np.array(card.scaler.categories) > 0, codes, numbers)
    times = np.datetime64("2026-01-01", "us") + np.arange(300) * np.timedelta64(1, "h")
    series = Series(values, "s", times=times, classes=np.zeros(300, dtype=np.int64))
    engine = Engine(artifact)
    for replacing in (False, True):
        found = by_engine(engine, artifact, [series], replacing=replacing)
        again = Card.from_dict(found.artifact.card.to_dict())
        assert again.calibration.threshold() == found.change.threshold
        bands = [channel.count > 0 for channel in found.artifact.card.bands.channels]
        assert bands == [not count for count in card.scaler.categories]


@pytest.mark.parametrize("score", ["excess", "distance"])
def test_scorers_with_a_state_keep_it(tmp_path: Path, score: str) -> None:
    scoring = ScoringConfig(score=score)
    checkpoint = train_on_waves(tmp_path / "model", waves(120, 24), scoring, quantile=0.6)
    artifact = Artifact.load(checkpoint)
    series = [Series(one, str(i)) for i, one in enumerate(waves(40, 24, seed=4))]
    found = by_engine(Engine(artifact), artifact, series)
    assert found.change.windows == found.change.blocks == 40
    found.artifact.save_checkpoint(tmp_path / "new.ckpt")
    engine = Engine.load(tmp_path / "new.ckpt")
    np.testing.assert_array_equal(
        np.concatenate([one.score for one in engine.analyse(series)]),
        np.concatenate([one.score for one in Engine(artifact).analyse(series)]),
    )
    assert engine.card.calibration.threshold() == found.change.threshold


def test_data_is_named_without_its_folder(tmp_path: Path) -> None:
    assert name_of(tmp_path / "new.csv") == name_of("some/where/new.csv") == "new.csv"
    assert name_of(Path("-")) == "standard input"
    assert name_of(np.zeros(3)) is None


def test_a_model_with_a_stride_counts_its_own_windows() -> None:
    card = replace(untrained_card(ModelConfig(recurrent=RecurrentConfig(hidden=6))), stride=4)
    artifact = untrained_artifact(card)
    found = by_engine(Engine(artifact), artifact, [noise(1000, 1)])
    assert found.change.windows == 249
