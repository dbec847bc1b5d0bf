"""The excess of errors, in models trained here, from the training data to HTTP's core."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import DataConfig, ModelConfig, ScoringConfig, TimeConfig
from rvae.data.series import Series
from rvae.data.windows import split
from rvae.errors import FieldError
from rvae.inference.analysis import Analysis
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.excess import excess
from rvae.scoring.excess_score import ExcessScorer
from tests.support.chance import highest_share_of_fitted
from tests.support.trained import STEPS, WAVES_MODEL, train_on_waves
from tests.support.waves import anomalous_waves, waves

VALUES = waves(400, STEPS, channels=2)


def trained(
    folder: Path,
    values: NDArray[Any],
    scoring: ScoringConfig = ScoringConfig("excess", memory=200),
    model: ModelConfig = WAVES_MODEL,
) -> Path:
    return train_on_waves(folder, values, scoring, model)


def levels_of(engine: Engine) -> NDArray[Any]:
    scorer = engine.runner.scorer
    assert isinstance(scorer, ExcessScorer)
    return scorer.state()["levels"].numpy()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("excess"), VALUES)


@pytest.fixture(scope="module")
def engine(path: Path) -> Engine:
    return Engine.load(path)


def test_the_state_is_a_memory_and_a_level_of_every_part(path: Path) -> None:
    state = Artifact.load(path).scorer
    assert set(state) == {"memory", "levels"}
    assert state["memory"].shape == (200, 4)
    assert state["levels"].shape == (3,) and state["levels"].min() > 0


def test_the_memory_holds_training_windows_only(path: Path, engine: Engine) -> None:
    """Exactly those: evenly chosen ones of the training part, and nothing of the others."""
    series = [Series(one, str(i)) for i, one in enumerate(VALUES)]
    parts = split(series, DataConfig("waves.npy", window=STEPS), STEPS, seed=0)
    latents = {
        name: np.concatenate([one.latent for one in engine.analyse(getattr(parts, name))])
        for name in ("training", "validation", "calibration")
    }
    memory = Artifact.load(path).scorer["memory"]
    training = latents.pop("training")
    chosen = np.linspace(0, len(training) - 1, 200, dtype=int)
    np.testing.assert_allclose(memory, training[chosen], rtol=1e-4, atol=1e-5)
    for held_out in latents.values():
        distances = np.linalg.norm(memory[:, None] - held_out[None], axis=2)
        assert distances.min() > 1e-3


def test_one_odd_channel_is_enough_and_is_named(engine: Engine) -> None:
    given = waves(100, STEPS, channels=2, seed=3)
    given[:, 8:12, 1] += 3
    usual = engine.analyse(list(waves(4000, STEPS, channels=2, seed=4)))
    odd = engine.analyse(list(given))
    calibration = engine.card.calibration
    threshold = calibration.threshold()
    bound = highest_share_of_fitted(0.95, len(calibration.scores), 4000)
    assert bound < 0.14
    assert np.mean([one.score[0] > threshold for one in odd]) > 0.95
    assert np.mean([one.score[0] > threshold for one in usual]) <= bound
    assert all(one.channel_scores[0, 1] > one.channel_scores[0, 0] for one in odd)


def test_a_score_is_the_largest_excess_of_its_parts(engine: Engine) -> None:
    (one,) = engine.analyse([anomalous_waves(1, STEPS, 2, seed=5)[0]])
    expected = excess(one.evidence["parts"], levels_of(engine)).max(axis=1)
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
    assert np.isfinite(half.score[0]) and np.isnan(half.evidence["parts"][0, 1])
    assert np.isnan(none.score[0]) and np.isnan(none.point_scores).all()


def test_a_folder_says_what_the_checkpoint_says(path: Path, engine: Engine, tmp_path: Path) -> None:
    Artifact.load(path).save(tmp_path / "artifact")
    given = [anomalous_waves(1, STEPS, 2, seed=9)[0]]
    (one,), (two,) = engine.analyse(given), Engine.load(tmp_path / "artifact").analyse(given)
    np.testing.assert_array_equal(one.score, two.score)
    np.testing.assert_array_equal(one.point_scores, two.point_scores)


@pytest.mark.parametrize("memory", [0, 50])
def test_a_level_out_of_all_bounds_tells_though_the_shape_is_usual(
    tmp_path: Path, memory: int
) -> None:
    values = waves(200, STEPS, channels=2)
    shifted = waves(1, STEPS, channels=2, seed=3)[0] + [0.0, 40.0]

    def analysed(**options: Any) -> tuple[bool, bool, Analysis]:
        scoring = ScoringConfig("excess", memory=memory, **options)
        engine = Engine.load(trained(tmp_path, values, scoring))
        usual, odd = engine.analyse([waves(1, STEPS, channels=2, seed=3)[0], shifted])
        threshold = engine.card.calibration.threshold()
        return usual.score[0] > threshold, odd.score[0] > threshold, odd

    assert analysed()[:2] == (False, False)
    usual, odd, analysis = analysed(level=3)
    assert (usual, odd) == (False, True)
    assert analysis.evidence["parts"].shape == (1, 4 + (memory > 0))
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
    assert np.isnan(one.evidence["parts"][0, [1, 3]]).all() and np.isfinite(one.score).all()


def test_without_memory_there_is_no_such_part(tmp_path: Path) -> None:
    path = trained(tmp_path, waves(200, STEPS), ScoringConfig("excess", memory=0))
    artifact = Artifact.load(path)
    assert set(artifact.scorer) == {"levels"} and artifact.scorer["levels"].shape == (1,)
    (one,) = Engine.load(path).analyse([waves(1, STEPS)[0]])
    assert one.evidence["parts"].shape == (1, 1) and np.isfinite(one.score).all()


def test_a_channel_that_never_moved_tells_when_it_does(tmp_path: Path) -> None:
    values = np.concatenate([waves(200, STEPS), np.ones((200, STEPS, 1))], axis=2)
    engine = Engine.load(trained(tmp_path, values))
    moved = values[:1].copy()
    moved[0, 10:14, 1] = 2.0
    (one,) = engine.analyse(list(moved))
    assert one.score[0] > engine.card.calibration.threshold()
    assert excess(one.evidence["parts"], levels_of(engine))[0].argmax() == 1


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
        calibration = engine.card.calibration
        (residuals,) = engine.card.bands.channels
        assert residuals.count == STEPS * len(calibration.scores)
        threshold = calibration.threshold()
        return np.mean([one.score[0] > threshold for one in engine.analyse(fresh_odd)])

    assert found("robust", contamination=0.05) > 0.95
    assert found("plain") < 0.5


def test_a_memory_is_refused_where_the_decoder_is_told_more(tmp_path: Path) -> None:
    told = replace(WAVES_MODEL, time=TimeConfig(encoding=2, bypass=True))
    with pytest.raises(FieldError, match="must be 0") as refused:
        trained(tmp_path, waves(60, STEPS), model=told)
    assert refused.value.field == "scoring.memory"
