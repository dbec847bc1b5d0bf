import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae.config import (
    DenseConfig,
    ModelConfig,
    RecurrentConfig,
    TrainingConfig,
)
from rvae.errors import FieldError
from rvae.evaluation.metrics import ExplainedVariance, active_units
from rvae.inference.artifact import Artifact
from rvae.inference.checkpoints import CARD_KEY
from rvae.inference.engine import Engine
from rvae.networks.objective import negative_elbo
from rvae.training.fit import FitResult
from tests.support.chance import highest_share, highest_share_of_fitted
from tests.support.short_training import QUICK, train, train_on
from tests.support.waves import waves


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

    count = 200

    def flagged(missing: slice) -> float:
        series = waves(count, steps=16, seed=7)
        series[:, missing] = np.nan
        threshold = outcome.card.calibration.threshold()
        return float(np.mean([a.score[0] > threshold for a in engine.analyse(list(series))]))

    promise = highest_share_of_fitted(0.95, len(outcome.card.calibration.scores), count)
    assert flagged(slice(0, 0)) <= promise
    assert flagged(slice(4, 9)) <= promise
    # No promise is made where a third of a window is missing. Found was 0.17; trained without
    # masks, nearly all are flagged.
    assert flagged(slice(10, None)) < 0.25


def test_where_training_had_no_gaps_nothing_is_hidden(outcome: FitResult) -> None:
    assert outcome.card.training["options"]["hide"] == 0


def test_the_checkpoint_is_plain_data_and_holds_everything(outcome: FitResult) -> None:
    content = torch.load(outcome.checkpoint, weights_only=True)
    assert content[CARD_KEY]["channels"] == ["height"]
    assert content[CARD_KEY]["window"] == 32
    assert content[CARD_KEY]["units"] == {}
    assert json.loads(json.dumps(content[CARD_KEY]["bands"], allow_nan=False))
    calibration = content[CARD_KEY]["calibration"]
    assert sum(calibration["segments"]) == len(calibration["scores"]) > 0
    assert sum(calibration["blocks"]) == len(calibration["segments"])
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


def test_batch_normalisation_needs_a_batch(tmp_path: Path) -> None:
    model = ModelConfig("dense", dense=DenseConfig(normalization="batch"))
    with pytest.raises(FieldError, match=r"training\.batch_size.*model\.dense\.normalization"):
        train_on(waves(120, steps=16), tmp_path, replace(QUICK, batch_size=1), model)


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


@pytest.mark.parametrize(
    ("data", "training", "field"),
    [
        ({"window": 17}, QUICK, "data.window"),
        ({}, replace(QUICK, alarms="1 per week"), "training.alarms"),
    ],
)
def test_what_cannot_work_is_said_before_training(
    tmp_path: Path, data: dict[str, Any], training: TrainingConfig, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        train(tmp_path, training, **data)
    assert caught.value.field == field
    assert not (tmp_path / "run").exists()
