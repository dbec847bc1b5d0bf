import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.context import Context
from rvae.data.readers import read
from rvae.data.window_dataset import Batch
from rvae.errors import FieldError
from rvae.evaluation.metrics import ExplainedVariance, active_units
from rvae.inference.artifact import CARD_KEY, Artifact
from rvae.inference.engine import Engine
from rvae.networks.objective import negative_elbo
from rvae.training.fit import FitResult, fit
from rvae.training.module import TrainingModule
from tests.support.chance import highest_share
from tests.support.waves import waves

QUICK = TrainingConfig(epochs=2, batch_size=20, accelerator="cpu", quantile=0.9)


SMALL = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=2)


def train(
    folder: Path,
    training: TrainingConfig = QUICK,
    windows: int = 120,
    resume: bool = False,
    **data: Any,
) -> FitResult:
    return train_on(waves(windows, steps=16), folder, training, resume=resume, **data)


def train_on(
    values: NDArray[np.float64],
    folder: Path,
    training: TrainingConfig = QUICK,
    model: ModelConfig = SMALL,
    resume: bool = False,
    **data: Any,
) -> FitResult:
    np.save(folder / "values.npy", values)
    config = DataConfig(str(folder / "values.npy"), **({"window": 16} | data))
    return fit(
        read(config.path, ReaderConfig()),
        TrainingPlan(config, model, training=training),
        folder / "run",
        progress=False,
        resume=resume,
    )


def explained_variance(windows: NDArray[Any], reconstruction: NDArray[Any]) -> float:
    explained = ExplainedVariance()
    for part in np.array_split(np.arange(len(windows)), 3):
        explained.add(windows[part], reconstruction[part])
    return explained.value


def test_it_learns_and_does_not_collapse(
    outcome: FitResult, engine: Engine, fresh: list[np.ndarray]
) -> None:
    """What a collapsed model says, the mean window, explains nothing of these waves."""
    analyses = engine.analyse(fresh)
    windows = np.stack([engine.card.scaler.transform(values) for values in fresh])
    explained = explained_variance(windows, np.concatenate([a.mean for a in analyses]))
    assert explained > 0.9
    assert active_units(np.concatenate([a.latent for a in analyses]).var(0)) >= 2
    assert outcome.card.training["explained_variance"] > 0.9


def test_the_latent_alone_reconstructs(
    checkpoint: Path, engine: Engine, fresh: list[np.ndarray]
) -> None:
    """A decoder that has never met the encoder makes the window from the latent."""
    latent = np.concatenate([a.latent for a in engine.analyse(fresh)])
    decoder = Artifact.load(checkpoint).build()
    del decoder.encoder, decoder.posterior
    decoded = decoder.decode(torch.from_numpy(latent)).mean.numpy()
    windows = np.stack([engine.card.scaler.transform(values) for values in fresh])
    assert explained_variance(windows, decoded) > 0.9
    shuffled = np.roll(decoded, 1, axis=0)
    assert explained_variance(windows, shuffled) < 0


def test_it_detects(engine: Engine, anomalous: list[np.ndarray]) -> None:
    normal, odd = (
        np.concatenate([a.score for a in engine.analyse(part)])
        for part in (list(waves(4000, seed=7)), anomalous)
    )
    threshold = engine.card.calibration.threshold()
    assert (odd > threshold).mean() > 0.9
    assert (normal > threshold).mean() <= highest_share(0.02, 4000)


def test_where_training_had_gaps_other_gaps_are_no_anomalies(tmp_path: Path) -> None:
    values = waves(600, steps=16)
    values[::20, 5:7] = np.nan
    outcome = train_on(
        values,
        tmp_path,
        TrainingConfig(epochs=40, quantile=0.95, accelerator="cpu"),
        ModelConfig(recurrent=RecurrentConfig(hidden=16), latent=3),
    )
    assert outcome.card.training["options"]["hide"] == 0.5
    engine = Engine.load(outcome.checkpoint)

    def flagged(missing: Any) -> Any:
        series = waves(200, steps=16, seed=7)
        series[:, missing] = np.nan
        threshold = outcome.card.calibration.threshold()
        return np.mean([a.score[0] > threshold for a in engine.analyse(list(series))])

    assert flagged(slice(0, 0)) < 0.15
    assert flagged(slice(10, None)) < 0.3
    assert flagged(slice(4, 9)) < 0.3


def test_where_training_had_no_gaps_nothing_is_hidden(outcome: FitResult) -> None:
    assert outcome.card.training["options"]["hide"] == 0


def test_the_checkpoint_is_plain_data_and_holds_everything(outcome: FitResult) -> None:
    content = torch.load(outcome.checkpoint, weights_only=True)
    assert content[CARD_KEY]["channels"] == ["height"]
    assert content[CARD_KEY]["window"] == 32
    assert content[CARD_KEY]["units"] == {}
    assert json.loads(json.dumps(content[CARD_KEY]["bands"], allow_nan=False))
    assert content[CARD_KEY]["calibration"]["scores"] == sorted(
        content[CARD_KEY]["calibration"]["scores"]
    )
    assert {"rvae", "torch", "numpy", "python", "pytorch-lightning"} == set(
        content[CARD_KEY]["versions"]
    )
    assert content["optimizer_states"], "training could not go on from here"
    assert sorted(p.name for p in outcome.checkpoint.parent.iterdir()) == [
        "logs",
        "model.ckpt",
        "state",
        "waves.npy",
    ]


def test_tensorboard_gets_both_terms_of_both_stages(outcome: FitResult) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(outcome.checkpoint.parent / "logs")).Reload()
    terms = ("loss", "reconstruction", "kl")
    assert (
        {f"validation/{name}" for name in terms}
        | {f"train/{name}_{span}" for name in (*terms, "beta") for span in ("step", "epoch")}
        | {"validation/active_units", "kl/dimension_000", "kl/dimension_003"}
    ) <= set(events.Tags()["scalars"])
    reconstruction, kl, loss = (
        np.array([e.value for e in events.Scalars(f"validation/{name}")])
        for name in ("reconstruction", "kl", "loss")
    )
    np.testing.assert_allclose(loss, reconstruction + kl, rtol=1e-4, atol=1e-3)


def test_validation_is_over_every_window_and_repeats(outcome: FitResult) -> None:
    """The same number whatever the batches, which the mean of batch means would not be."""
    content = torch.load(outcome.checkpoint, weights_only=True)
    windows = torch.randn(100, 32, 1)
    logged: dict[str, Any] = {}

    def validate(size: Any) -> dict[str, Any]:
        module = TrainingModule(outcome.card, ObjectiveConfig(), replace(QUICK, batch_size=size))
        module.load_state_dict(content["state_dict"])
        module.trainer = cast(Any, SimpleNamespace)(
            strategy=SimpleNamespace(reduce=lambda sums, reduce_op: sums),
            world_size=1,
            global_rank=0,
        )
        module.log = lambda name, value, **_: logged.__setitem__(name, float(value))
        module.log_dict = lambda values, **_: logged.update(values)
        module.on_validation_epoch_start()
        for index, batch in enumerate(torch.split(windows, size)):
            with torch.no_grad():
                module.validation_step(Batch(batch, Context.empty(len(batch), 32)), index)
        module.on_validation_epoch_end()
        return {name: float(value) for name, value in logged.items()}

    assert validate(70) == validate(70)
    assert validate(70) == pytest.approx(validate(9), rel=1e-5)


def test_a_seed_repeats_to_the_bit(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(torch.load(train(tmp_path / name).checkpoint, weights_only=True))
    for key, tensor in runs[0]["state_dict"].items():
        assert torch.equal(tensor, runs[1]["state_dict"][key]), key
    assert runs[0][CARD_KEY]["calibration"] == runs[1][CARD_KEY]["calibration"]


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Ctrl-C while this training step is taken."""
    original = TrainingModule.training_step

    def interrupted(self: TrainingModule, windows: Batch, batch_index: int) -> torch.Tensor:
        if self.global_step == step:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, windows, batch_index)

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)


@pytest.mark.parametrize("step", [2, 7])
def test_interrupting_keeps_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    interrupt_at(monkeypatch, step)
    handler = signal.getsignal(signal.SIGINT)
    outcome = train(tmp_path, TrainingConfig(epochs=500, batch_size=20, quantile=0.9))
    assert outcome.interrupted
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(Engine.load(outcome.checkpoint).analyse([waves(1, 16)[0]])[0].score) == 1


def weights(outcome: FitResult) -> dict[str, torch.Tensor]:
    return torch.load(outcome.checkpoint, weights_only=True)["state_dict"]


@pytest.mark.parametrize("schedule", ["one_cycle", "constant", "warm_restarts", "plateau"])
@pytest.mark.parametrize("step", [9, 11])
def test_resumed_training_ends_like_one_that_was_not_interrupted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schedule: Literal["one_cycle", "constant", "warm_restarts", "plateau"],
    step: int,
) -> None:
    """To the bit, though it was stopped in the middle of the third or just before its end."""
    training = replace(QUICK, epochs=6, schedule=schedule, optimizer="adamw", weight_decay=0.01)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = train(tmp_path / "whole", training)
    with monkeypatch.context() as patched:
        interrupt_at(patched, step)
        assert train(tmp_path / "parts", training).interrupted
    parts = train(tmp_path / "parts", training, resume=True)
    assert not parts.interrupted
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(parts)[name]), name
    assert whole.card.training["epoch"] == parts.card.training["epoch"]
    assert whole.card.to_dict()["calibration"] == parts.card.to_dict()["calibration"]


def test_only_the_same_training_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="there is no"):
        train(tmp_path, resume=True)
    train(tmp_path)
    for changed, message in (
        (replace(QUICK, learning_rate=0.5), "another learning_rate"),
        (replace(QUICK, optimizer="sgd"), "another optimizer"),
        (replace(QUICK, epochs=1), "training.epochs"),
    ):
        with pytest.raises(FieldError, match=message):
            train(tmp_path, changed, resume=True)
    with pytest.raises(FieldError, match="another scaler"):
        train(tmp_path, windows=100, resume=True)


def test_units_stay_when_training_is_resumed(tmp_path: Path) -> None:
    (name,) = train(tmp_path).card.channels
    first = train(tmp_path, units={name: "mV"})
    longer = replace(QUICK, epochs=3)
    with pytest.raises(FieldError, match="another units"):
        train(tmp_path, longer, units={name: "V"}, resume=True)
    again = train(tmp_path, longer, units={name: "mV"}, resume=True)
    assert first.card.units == again.card.units == {name: "mV"}


def test_a_new_training_forgets_the_old_one_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path)
    interrupt_at(monkeypatch, 2)  # before an epoch is whole
    assert train(tmp_path, replace(QUICK, epochs=9)).interrupted
    with pytest.raises(FieldError, match="there is no"):
        train(tmp_path, replace(QUICK, epochs=9), resume=True)


def test_a_moved_training_can_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = replace(QUICK, epochs=4)
    (tmp_path / "here").mkdir()
    with monkeypatch.context() as patched:
        interrupt_at(patched, 12)
        train(tmp_path / "here", training)
    (tmp_path / "here").rename(tmp_path / "there")
    train(tmp_path / "there", training, resume=True)
    assert not (tmp_path / "here").exists()


def test_batch_normalisation_needs_a_batch(tmp_path: Path) -> None:
    model = ModelConfig("dense", dense=DenseConfig(batch_norm=True))
    with pytest.raises(FieldError, match=r"training\.batch_size"):
        train_on(waves(120, steps=16), tmp_path, replace(QUICK, batch_size=1), model)


def test_more_epochs_can_be_added(tmp_path: Path) -> None:
    training = replace(QUICK, schedule="constant")
    train(tmp_path, training)
    longer = train(tmp_path, replace(training, epochs=5), resume=True)
    last = torch.load(longer.checkpoint.parent / "state" / "last.ckpt", weights_only=True)
    assert last["epoch"] == 4


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_learns(
    tmp_path: Path, optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
) -> None:
    rate = 1e-2 if optimizer.startswith("adam") else 1e-3
    training = replace(
        QUICK, epochs=12, optimizer=optimizer, learning_rate=rate, schedule="constant"
    )
    outcome = train(tmp_path, training)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(outcome.checkpoint.parent / "logs")).Reload()
    losses = [event.value for event in events.Scalars("validation/loss")]
    assert losses[-1] < losses[0]


def test_training_off_the_main_thread_works(tmp_path: Path) -> None:
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(train(tmp_path)))
    thread.start()
    thread.join()
    assert outcomes and not outcomes[0].interrupted


def test_early_stopping_ends_before_the_last_epoch(tmp_path: Path) -> None:
    # A rate this high finds nothing better after the first epochs.
    outcome = train(
        tmp_path,
        TrainingConfig(epochs=200, batch_size=20, patience=1, learning_rate=1.0, quantile=0.9),
    )
    assert outcome.card.training["epoch"] < 150


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_ends_after_as_many_epochs_as_there_is_patience(
    tmp_path: Path, patience: int
) -> None:
    """No loss is better by so much: of 40 epochs four warm up, the fifth is the best one."""
    training = replace(QUICK, epochs=40, improvement=1e9, patience=patience)
    np.save(tmp_path / "values.npy", waves(120, steps=16))
    plan = TrainingPlan(
        DataConfig(str(tmp_path / "values.npy"), window=16),
        ModelConfig("dense", dense=DenseConfig((4,)), latent=2),
        ObjectiveConfig(warmup=0),
        training=training,
    )
    fit(read(plan.data.path, ReaderConfig()), plan, tmp_path / "run", progress=False)
    last = torch.load(tmp_path / "run" / "state" / "last.ckpt", weights_only=True)
    assert last["epoch"] + 1 == 5 + patience


def test_windows_of_one_long_series_with_gaps(tmp_path: Path) -> None:
    values = np.sin(np.arange(600) / 5)[:, None] + [0, 1]
    values[::11, 0] = np.nan
    values[100:104] = np.nan
    training = TrainingConfig(epochs=2, quantile=0.8, accelerator="cpu")
    outcome = train_on(values, tmp_path, training, window=24, stride=4)
    (analysis,) = Engine.load(outcome.checkpoint).analyse([values])
    assert np.isnan(analysis.point_scores).sum() == 4
    assert np.isfinite(analysis.score).all()


def test_divergence_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*arguments: Any) -> Any:
        terms = negative_elbo(*arguments)
        return replace(terms, reconstruction=terms.reconstruction * torch.nan)

    monkeypatch.setattr("rvae.training.module.negative_elbo", diverged)
    with pytest.raises(FieldError, match="diverged"):
        train(tmp_path)


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


@pytest.mark.parametrize(
    ("data", "training", "field"),
    [
        ({"window": 17}, QUICK, "data.window"),
        ({}, TrainingConfig(quantile=0.99), "training.quantile"),
    ],
)
def test_what_cannot_work_is_said_before_training(
    tmp_path: Path, data: dict[str, Any], training: TrainingConfig, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        train(tmp_path, training, **data)
    assert caught.value.field == field
    assert not (tmp_path / "run").exists()
