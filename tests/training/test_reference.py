"""The excess of errors, in models trained here, from the training data to HTTP's core."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae.config import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TimeConfig,
    TrainingConfig,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.excess import excess
from rvae.training.fit import fit
from tests.support.waves import anomalous_waves, waves

STEPS = 24
MODEL = ModelConfig(
    recurrent=RecurrentConfig(hidden=8, patch=4), linear=True, normalization="instance", latent=4
)
TRAINING = TrainingConfig(epochs=2, batch_size=32, learning_rate=1e-3, quantile=0.95)


def trained(
    folder: Path,
    values: NDArray[np.float64],
    scoring: ScoringConfig = ScoringConfig("excess", memory=200),
    model: ModelConfig = MODEL,
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "waves.npy"
    np.save(path, values)
    outcome = fit(
        read(path, ReaderConfig()),
        DataConfig(str(path), window=STEPS, constant="keep"),
        model,
        ObjectiveConfig(),
        scoring,
        replace(TRAINING, accelerator="cpu"),
        folder,
        progress=False,
    )
    return outcome.checkpoint


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("excess"), waves(400, STEPS, channels=2))


@pytest.fixture(scope="module")
def engine(path: Path) -> Engine:
    return Engine.load(path)


def test_it_remembers_training_windows_and_knows_a_level_of_every_part(path: Path) -> None:
    artifact = Artifact.load(path)
    assert artifact.memory.shape == (200, 4)
    assert len(artifact.card.levels or ()) == 3 and min(artifact.card.levels or ()) > 0
    # Every remembered latent is that of a training window.
    training = Engine.load(path).analyse(list(waves(400, STEPS, channels=2)))
    latents = np.concatenate([one.latent for one in training])
    nearest = (
        torch.cdist(cast(torch.Tensor, artifact.memory), torch.from_numpy(latents)).min(1).values
    )
    assert nearest.max() < 1e-2  # their distances lose digits


def test_one_odd_channel_is_enough_and_is_named(engine: Engine) -> None:
    given = waves(100, STEPS, channels=2, seed=3)
    given[:, 8:12, 1] += 3
    usual = engine.analyse(list(waves(100, STEPS, channels=2, seed=4)))
    odd = engine.analyse(list(given))
    threshold = engine.card.require_calibration().threshold()
    assert np.mean([one.score[0] > threshold for one in odd]) > 0.95
    assert np.mean([one.score[0] > threshold for one in usual]) < 0.15
    assert all(one.channel_scores[0, 1] > one.channel_scores[0, 0] for one in odd)


def test_a_score_is_the_largest_excess_of_its_parts(engine: Engine) -> None:
    (one,) = engine.analyse([anomalous_waves(1, STEPS, 2, seed=5)[0]])
    expected = excess(one.parts, np.array(engine.card.levels)).max(axis=1)
    np.testing.assert_allclose(one.score, expected)
    np.testing.assert_allclose(np.nansum(one.contributions, axis=(1, 2)), one.score, rtol=1e-5)


def test_contributions_lie_where_the_part_that_decides_is_off(engine: Engine) -> None:
    given = waves(1, STEPS, channels=2, seed=6)[0]
    given[8:12, 1] += 4
    (one,) = engine.analyse([given])
    share = one.contributions[0] / one.score[0]
    assert share[6:14, 1].sum() > 0.5 and share.min() >= 0


def test_a_point_has_the_mean_score_of_the_windows_that_cover_it(engine: Engine) -> None:
    series = np.concatenate(list(waves(3, STEPS, channels=2, seed=7)))
    (one,) = engine.analyse([series], 5)
    for point in (0, 30, 71):
        covering = (one.starts <= point) & (point < one.starts + STEPS)
        assert one.point_scores[point] == pytest.approx(one.score[covering].mean())


def test_missing_values_leave_the_other_parts_and_nothing_leaves_none(engine: Engine) -> None:
    given = waves(2, STEPS, channels=2, seed=8)
    given[0, :, 1] = np.nan
    given[1] = np.nan
    half, none = engine.analyse(list(given))
    assert np.isfinite(half.score[0]) and np.isnan(half.parts[0, 1])
    assert np.isnan(none.score[0]) and np.isnan(none.point_scores).all()


def test_a_folder_says_what_the_checkpoint_says(path: Path, engine: Engine, tmp_path: Path) -> None:
    Artifact.load(path).save(tmp_path / "artifact")
    given = [anomalous_waves(1, STEPS, 2, seed=9)[0]]
    (one,), (two,) = engine.analyse(given), Engine.load(tmp_path / "artifact").analyse(given)
    np.testing.assert_array_equal(one.score, two.score)
    np.testing.assert_array_equal(one.point_scores, two.point_scores)


def test_the_distance_alone_may_decide(tmp_path: Path) -> None:
    values = waves(200, STEPS, channels=2)
    path = trained(tmp_path, values, ScoringConfig("distance", memory=100))
    engine = Engine.load(path)
    assert len(engine.card.levels or ()) == 1
    given = waves(1, STEPS, channels=2, seed=6)[0]
    given[8:12, 1] += 4
    (one,) = engine.analyse([given])
    assert one.parts.shape == (1, 1)
    assert one.score[0] > engine.card.require_calibration().threshold()
    np.testing.assert_allclose(np.nansum(one.contributions, axis=(1, 2)), one.score, rtol=1e-5)
    np.testing.assert_allclose(one.channel_scores.sum(axis=1), one.score[0], rtol=1e-5)
    assert one.channel_scores[0, 1] > one.channel_scores[0, 0]


@pytest.mark.parametrize("memory", [0, 50])
def test_a_level_out_of_all_bounds_tells_though_the_shape_is_usual(
    tmp_path: Path, memory: int
) -> None:
    values = waves(200, STEPS, channels=2)
    shifted = waves(1, STEPS, channels=2, seed=3)[0] + [0.0, 40.0]

    def analysed(**options: Any) -> Any:
        scoring = ScoringConfig("excess", memory=memory, **options)
        engine = Engine.load(trained(tmp_path, values, scoring))
        usual, odd = engine.analyse([waves(1, STEPS, channels=2, seed=3)[0], shifted])
        threshold = engine.card.require_calibration().threshold()
        return usual.score[0] > threshold, odd.score[0] > threshold, odd

    assert analysed()[:2] == (False, False)
    usual, odd, analysis = analysed(level=3)
    assert (usual, odd) == (False, True)
    assert analysis.parts.shape == (1, 4 + (memory > 0))
    assert analysis.channel_scores[0, 1] == pytest.approx(analysis.score[0])
    assert analysis.channel_scores[0, 0] < analysis.score[0]
    contributions = analysis.contributions[0]
    np.testing.assert_allclose(contributions[:, 1], analysis.score[0] / STEPS, rtol=1e-4)
    assert (contributions[:, 0] == 0).all()


def test_levels_of_what_is_missing_have_no_say(tmp_path: Path) -> None:
    values = waves(200, STEPS, channels=2)
    engine = Engine.load(trained(tmp_path, values, ScoringConfig("excess", level=3)))
    given = waves(1, STEPS, channels=2, seed=4)[0]
    given[:, 1] = np.nan
    (one,) = engine.analyse([given])
    assert np.isnan(one.parts[0, [1, 3]]).all() and np.isfinite(one.score).all()


def test_without_memory_there_is_no_such_part(tmp_path: Path) -> None:
    path = trained(tmp_path, waves(200, STEPS), ScoringConfig("excess", memory=0))
    artifact = Artifact.load(path)
    assert artifact.memory is None and len(artifact.card.levels or ()) == 1
    (one,) = Engine.load(path).analyse([waves(1, STEPS)[0]])
    assert one.parts.shape == (1, 1) and np.isfinite(one.score).all()


def test_a_channel_that_never_moved_tells_when_it_does(tmp_path: Path) -> None:
    values = np.concatenate([waves(200, STEPS), np.ones((200, STEPS, 1))], axis=2)
    engine = Engine.load(trained(tmp_path, values))
    moved = values[:1].copy()
    moved[0, 10:14, 1] = 2.0
    (one,) = engine.analyse(list(moved))
    assert one.score[0] > engine.card.require_calibration().threshold()
    assert excess(one.parts, np.array(engine.card.levels))[0].argmax() == 1


def test_contamination_is_neither_learnt_nor_remembered_nor_normal(tmp_path: Path) -> None:
    """Even where it is all alike, and so has near neighbours of its own."""
    odd = waves(1, STEPS, seed=2)
    odd[0, 6:18] += 2.5
    clean = waves(570, STEPS, seed=1)
    noise = np.random.default_rng(1).normal(0, 0.05, (30, STEPS, 1))
    mixed = np.random.default_rng(0).permutation(np.concatenate([clean, odd + noise]))
    fresh_odd = list(odd + np.random.default_rng(2).normal(0, 0.05, (40, STEPS, 1)))

    def found(name: str, **options: Any) -> float:
        engine = Engine.load(trained(tmp_path / name, mixed, ScoringConfig("excess", **options)))
        calibration = engine.card.require_calibration()
        (residuals,) = engine.card.bands.channels
        assert residuals.count == STEPS * len(calibration.scores)
        threshold = calibration.threshold()
        return np.mean([one.score[0] > threshold for one in engine.analyse(fresh_odd)])

    assert found("robust", contamination=0.05) > 0.95
    assert found("plain") < 0.5


def test_a_memory_is_refused_where_the_decoder_is_told_more(tmp_path: Path) -> None:
    told = replace(MODEL, time=TimeConfig(encoding=2, bypass=True))
    with pytest.raises(FieldError, match="must be 0") as refused:
        trained(tmp_path, waves(60, STEPS), model=told)
    assert refused.value.field == "scoring.memory"
