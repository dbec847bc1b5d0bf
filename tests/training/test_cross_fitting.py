"""Normal windows scored by models that have not seen them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.data.windows import window_starts
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.inference.runner import Runner
from rvae.scoring.scorer import Scorer
from rvae.training import calibration
from rvae.training.cross_fitting import FOLDS_FILE, _read
from rvae.training.fit import FitResult, fit
from rvae.training.module import TrainingModule
from rvae.training.prepare import prepare
from rvae.training.trainer import make_run
from tests.support.chance import highest_share, highest_share_of_fitted
from tests.support.short_training import interrupt_at

WINDOW = 10
FOLDS = 4
LINEAR = ModelConfig("dense", dense=DenseConfig(layers=()), latent=2, linear=True)
QUICK = TrainingConfig(
    epochs=2, batch_size=128, accelerator="cpu", quantile=0.9, folds=FOLDS, learning_rate=1e-3
)


def noise(length: int = 300, channels: int = 2, seed: int = 0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    waves = np.sin(np.arange(length)[:, None] / 3 + np.arange(channels))
    return waves + random.normal(0, 0.3, (length, channels))


def dataset(values: NDArray[np.float64]) -> Dataset:
    channels = tuple(f"c{i}" for i in range(values.shape[1]))
    return Dataset([Series(values, "s")], channels, ReaderConfig())


def plan(
    training: TrainingConfig = QUICK,
    scoring: ScoringConfig = ScoringConfig("excess", memory=20),
    **data: Any,
) -> TrainingPlan:
    return TrainingPlan(
        DataConfig("", **({"window": WINDOW} | data)), LINEAR, scoring=scoring, training=training
    )


def trained(
    folder: Path, data: Dataset, options: TrainingPlan | None = None, resume: bool = False
) -> FitResult:
    return fit(data, options or plan(), folder, progress=False, resume=resume)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Everything that is fitted, of each model in the order of training."""
    found: list[dict[str, Any]] = []
    original = calibration._fitted

    def recorded(spec: Any, network: Any, windows: Mapping[str, Any]) -> tuple[Runner, Scorer]:
        runner, scorer = original(spec, network, windows)
        weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        found.append({"scaler": spec.scaler, "fitted": weights | scorer.state()})
        return runner, scorer

    monkeypatch.setattr(calibration, "_fitted", recorded)
    return found


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["scaler"] == other["scaler"] and all(
        torch.equal(tensor, other["fitted"][name]) for name, tensor in one["fitted"].items()
    )


def test_nothing_of_a_model_depends_on_the_points_of_its_fold(
    tmp_path: Path, models: list[dict[str, Any]]
) -> None:
    """Weights, scaler, memory and levels stay, to the bit; those of the other models change."""
    fold, values = 1, noise()
    counts = [len(f.windows["calibration"]) for f in prepare(dataset(values), plan()).folds]
    first, count = sum(counts[:fold]), counts[fold]
    changed = values.copy()
    changed[first : first + count + WINDOW - 1] *= 3  # every point of a window of the fold
    trained(tmp_path / "a", dataset(values))
    trained(tmp_path / "b", dataset(changed))
    before, after = models[: FOLDS + 1], models[FOLDS + 1 :]
    kept = [same(one, other) for one, other in zip(before, after, strict=True)]
    assert kept == [number == fold for number in range(FOLDS + 1)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    """A training that was not interrupted."""
    return trained(tmp_path_factory.mktemp("whole"), dataset(noise()))


def test_every_window_counts_once(whole: FitResult) -> None:
    starts, windows = 300 - WINDOW + 1, whole.card.training["windows"]
    assert windows["calibration"] == len(whole.card.calibration.scores) == starts
    # Nothing is held out from the final model but what selects its epoch, and a gap.
    assert windows["training"] + windows["validation"] == 300 - WINDOW - 2 * (WINDOW - 1)


def test_the_final_model_does_not_depend_on_the_folds(tmp_path: Path, whole: FitResult) -> None:
    two = trained(tmp_path, dataset(noise()), plan(replace(QUICK, folds=2)))
    assert same_weights(two, whole)
    assert two.card.bands != whole.card.bands


def same_weights(one: FitResult, other: FitResult) -> bool:
    a, b = (torch.load(o.checkpoint, weights_only=True)["state_dict"] for o in (one, other))
    return all(torch.equal(a[name], b[name]) for name in a)


def test_no_model_of_a_fold_is_left(tmp_path: Path) -> None:
    trained(tmp_path, dataset(noise()), plan(replace(QUICK, folds=2, pictures=1)))
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    logs = {path for path in files if path.startswith("logs/events")}
    assert len(logs) == 1
    assert files - logs == {
        "model.ckpt",
        "logs/hparams.yaml",
        "pictures/epoch-0001.png",
        "pictures/epoch-0002.png",
        "pictures/learning.gif",
        "state/best.ckpt",
        "state/folds.ckpt",
        "state/last.ckpt",
    }


def test_an_interrupted_fold_is_the_first_to_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: FitResult
) -> None:
    begun = recorded_runs(monkeypatch)
    with monkeypatch.context() as patched:
        interrupt_in(patched, begun, "training without fold 3 of 4")
        with pytest.raises(KeyboardInterrupt, match="without fold 3 of 4"):
            trained(tmp_path, dataset(noise()))
    assert not (tmp_path / "state" / "fold").exists()
    assert not (tmp_path / "model.ckpt").exists()
    begun.clear()
    parts = trained(tmp_path, dataset(noise()), resume=True)
    assert begun == ["training without fold 3 of 4", "training without fold 4 of 4", None]
    assert same_weights(whole, parts)
    assert parts.card.to_dict()["calibration"] == whole.card.to_dict()["calibration"]
    assert parts.card.bands == whole.card.bands


def test_an_interrupted_final_training_is_calibrated_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: FitResult
) -> None:
    begun = recorded_runs(monkeypatch)
    with monkeypatch.context() as patched:
        interrupt_in(patched, begun, None, step=3)
        outcome = trained(tmp_path, dataset(noise()))
    assert outcome.interrupted and outcome.resumable
    assert len(outcome.card.calibration.scores) == 300 - WINDOW + 1
    begun.clear()
    parts = trained(tmp_path, dataset(noise()), resume=True)
    assert begun == [None]
    assert same_weights(whole, parts)
    with pytest.raises(FieldError, match="another folds"):
        trained(tmp_path, dataset(noise()), plan(replace(QUICK, folds=3)), resume=True)
    # With other epochs, folds would no longer be scored by models like the final one.
    spec = prepare(dataset(noise()), plan()).spec
    longer = prepare(dataset(noise()), plan(replace(QUICK, epochs=3))).spec
    saved = tmp_path / "state" / FOLDS_FILE
    assert [len(_read(saved, one)) for one in (spec, longer)] == [FOLDS, 0]


def recorded_runs(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What is trained, in order: the name of a training without a fold; None for the final one."""
    begun: list[str | None] = []
    for module in ("cross_fitting", "fit"):
        monkeypatch.setattr(f"rvae.training.{module}.make_run", recording(begun))
    return begun


def recording(begun: list[str | None]) -> Callable[..., Any]:
    """`make_run`, which notes what is trained."""

    def run(*arguments: Any) -> Any:
        begun.append(arguments[4] if len(arguments) > 4 else None)
        return make_run(*arguments)

    return run


def interrupt_in(
    monkeypatch: pytest.MonkeyPatch, begun: list[str | None], name: str | None, step: int = 1
) -> None:
    """Ctrl-C in the training that is called so."""
    original = TrainingModule.training_step
    interrupt_at(monkeypatch, step)
    interrupting = TrainingModule.training_step

    def either(self: TrainingModule, windows: Any, batch_index: int) -> torch.Tensor:
        chosen = interrupting if begun[-1] == name else original
        return chosen(self, windows, batch_index)

    monkeypatch.setattr(TrainingModule, "training_step", either)


def test_residuals_are_in_units_of_the_final_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the fold in which values are large, the model has another unit."""
    values = noise(400)
    values[300:] *= 10
    kept: list[Any] = []
    original = calibration.hold_out

    def recorded(*arguments: Any) -> Any:
        kept.append((*arguments, original(*arguments)))
        return kept[-1][-1]

    monkeypatch.setattr("rvae.training.cross_fitting.hold_out", recorded)
    outcome = trained(tmp_path, dataset(values))
    batches = [
        np.abs(held_out.residuals * np.array(scaler.scale)).mean()
        for _, _, scaler, _, held_out in kept
    ]
    # In the units of the data, the error is as large as the noise; ten times in the last fold.
    assert max(batches[:3]) < 1 < batches[3]
    assert all(scaler == outcome.card.scaler for _, _, scaler, _, _ in kept)
    height = outcome.card.bands.channels[0]
    assert height.count == 391 * WINDOW


def test_a_channel_that_varies_in_one_fold_only_has_its_own_unit_elsewhere(
    tmp_path: Path,
) -> None:
    values = noise(400, channels=3)
    values[:, 1] = 7.0
    values[150:160, 1] = 8.0
    values[:, 2] = np.nan
    values[290:, 2] = noise(110)[:, 0]
    found = prepare(dataset(values), plan())
    assert found.spec.scaler.scale[1] < 1
    without = [fold.spec.scaler for fold in found.folds]
    assert (without[1].mean[1], without[1].scale[1]) == (7.0, 1.0)
    assert (without[3].mean[2], without[3].scale[2]) == (0.0, 1.0)
    outcome = trained(tmp_path, dataset(values))
    scores = outcome.card.calibration.scores
    assert np.isfinite(scores).all() and len(scores) == 400 - WINDOW + 1


def test_a_category_that_occurs_in_one_fold_only_is_known() -> None:
    values = noise(400)
    values[:, 1] = 1.0
    values[120:140, 1] = 2.0
    data = replace(
        dataset(values),
        source=ReaderConfig(categorical=("c1",)),
        vocabulary=Vocabulary({"c1": ("off", "on", "never")}),
    )
    found = prepare(data, plan())
    assert found.spec.vocabulary.categories == {"c1": ("off", "on")}
    assert {fold.spec.scaler.categories for fold in found.folds} == {(0, 2)}


def test_a_share_of_anomalies_may_be_among_the_normal_data(tmp_path: Path) -> None:
    values = noise(400)
    values[200:204] = 40.0
    clean, all_of_it = (
        trained(
            tmp_path / str(share),
            dataset(values),
            plan(
                replace(QUICK, folds=2),
                ScoringConfig("excess", memory=20, contamination=share),
            ),
        ).card
        for share in (0.05, 0.0)
    )
    assert clean.calibration.scores.max() < all_of_it.calibration.scores.max() - 1
    assert clean.bands.channels[0].above[0] < all_of_it.bands.channels[0].above[0] / 5


def test_fresh_normal_windows_are_flagged_at_most_as_often_as_promised(tmp_path: Path) -> None:
    """Of short noise: on average over models, as the promise is."""
    rates, promised = [], []
    for seed in range(6):
        values = np.random.default_rng(seed).normal(size=(340, 1))
        options = plan(replace(QUICK, folds=2, epochs=1), window=6)
        outcome = trained(tmp_path / str(seed), dataset(values), options)
        fresh = np.random.default_rng(1000 + seed).normal(size=(1200, 1))
        (analysis,) = Engine.load(outcome.checkpoint).analyse([fresh], 6)
        rates.append(float((analysis.score > outcome.card.calibration.threshold()).mean()))
        promised.append(1 - outcome.card.calibration.quantile)
    assert promised == pytest.approx([0.1] * 6)
    assert np.mean(rates) <= highest_share(0.1, 1200)
    assert np.mean(rates) > 0.01  # and not by flagging nothing


@pytest.mark.parametrize("folds", [1, 3])
def test_a_stride_that_divides_the_period_keeps_its_phase(tmp_path: Path, folds: int) -> None:
    """Windows of every part begin where those of the whole series do."""
    period, window = 12, 17

    def pulses(length: int, seed: int) -> NDArray[np.float64]:
        clean = np.where(np.arange(length) % period < 3, 5.0, 0.0)
        return (clean + np.random.default_rng(seed).normal(0, 0.2, length))[:, None]

    options = plan(replace(QUICK, folds=folds, quantile=0.8), window=window, stride=period)
    outcome = trained(tmp_path, dataset(pulses(907, seed=0)), options)
    engine, threshold = Engine.load(outcome.checkpoint), outcome.card.calibration.threshold()
    test = pulses(720, seed=1)
    (normal,) = engine.analyse([test])
    in_phase = window_starts(len(test), window, period) % period == 0
    rate = (normal.score[in_phase] > threshold).mean()
    assert 0 < rate <= highest_share_of_fitted(0.8, outcome.card.calibration.blocks.count, 30)
    test[360:366] = 2.5  # half a pulse
    (odd,) = engine.analyse([test])
    assert odd.score[30] > threshold
