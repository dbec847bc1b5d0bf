"""The recipe for a new score: one class and one line, from training to an answer over HTTP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.config import ModelConfig, RecurrentConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.window_dataset import WindowDataset
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.networks.vae import VAE
from rvae.scoring.evidence import Evidence
from rvae.scoring.reconstruction import Reconstruction
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import SCORERS
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to
from tests.support.trained import STEPS, train_on_waves
from tests.support.waves import anomalous_waves, waves

MODEL = ModelConfig(recurrent=RecurrentConfig(hidden=8, patch=4), linear=True, latent=4)


class LargestErrorScorer(Scorer):
    """The largest squared error of a window's values, in variances of the training data."""

    def measure(self, reconstruction: Reconstruction) -> dict[str, Tensor]:
        return {"errors": (reconstruction.x - reconstruction.p.mean).square()}  # (B, T, C)

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return np.fmax.reduce(evidence["errors"], axis=(1, 2)).astype(np.float64)  # (W,)

    def contributions(self, evidence: Evidence) -> NDArray[np.float64]:
        errors = evidence["errors"]
        largest = np.fmax.reduce(errors, axis=(1, 2), keepdims=True)
        return np.where((errors == largest) | np.isnan(errors), errors, 0.0)  # (W, T, C)


class RelativeErrorScorer(LargestErrorScorer):
    """The same as a multiple of the mean over held-out windows: a score with a state."""

    def __init__(self, mean: Tensor) -> None:
        self.mean = mean

    @classmethod
    def fit(
        cls,
        network: VAE,
        scaler: Scaler,
        scoring: ScoringConfig,
        windows: Mapping[str, WindowDataset],
    ) -> Self:
        x = torch.cat([torch.from_numpy(one.x) for one in windows["validation"].batches()])
        return cls(x.square().amax((1, 2)).mean())

    @classmethod
    def restore(
        cls,
        network: VAE,
        scaler: Scaler,
        scoring: ScoringConfig,
        state: Mapping[str, Tensor],
    ) -> Self:
        return cls(state["mean"])

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean}

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        return super().score(evidence) / float(self.mean)


@pytest.fixture(params=["one line", "dotted name"])
def names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """How both scores are chosen: in the registry, or from outside the package."""
    scorers = {"largest": LargestErrorScorer, "relative": RelativeErrorScorer}
    if request.param == "dotted name":
        return {name: f"{__name__}:{scorer.__name__}" for name, scorer in scorers.items()}
    for name, scorer in scorers.items():
        monkeypatch.setitem(SCORERS.entries, name, scorer)
    return {name: name for name in scorers}


def test_a_new_score_goes_all_the_way(names: dict[str, str], tmp_path: Path) -> None:
    values = waves(300, STEPS, channels=2)
    path = train_on_waves(tmp_path, values, ScoringConfig(names["largest"]), MODEL, epochs=10)
    assert Artifact.load(path).scorer == {}
    Artifact.load(path).save(tmp_path / "folder")
    engine = Engine.load(tmp_path / "folder")
    given = anomalous_waves(1, STEPS, 2, seed=5)[0]
    (one,) = engine.analyse([given])
    assert one.score[0] > engine.card.calibration.threshold()
    scale = np.array(engine.card.scaler.scale)
    largest = (((given - one.reconstruction) / scale) ** 2).max()
    assert one.score[0] == pytest.approx(largest, rel=1e-4)
    # Points and channels follow from the contributions of windows.
    assert one.channel_scores.sum(1) == pytest.approx(np.full(STEPS, one.score[0]))
    service = Service(engine, "waves", "1.0", Limits())
    request = {"data": given.tolist(), "output": ["score", "point_scores", "events"]}
    status, answer = answer_to(service, request)
    assert status == 200
    assert answer["score"] == pytest.approx(one.score, rel=1e-6)
    assert answer["is_anomaly"] == [True] and len(answer["events"]) == 1
    assert answer["point_scores"] == pytest.approx(one.point_scores, rel=1e-6)


def test_a_new_score_may_have_a_state(names: dict[str, str], tmp_path: Path) -> None:
    values = waves(300, STEPS, channels=2)
    path = train_on_waves(tmp_path, values, ScoringConfig(names["relative"]), MODEL)
    Artifact.load(path).save(tmp_path / "folder")
    (mean,) = Artifact.load(path).scorer.values()
    assert mean > 0
    given = [anomalous_waves(1, STEPS, 2, seed=5)[0]]
    (one,), (two,) = (
        Engine.load(path).analyse(given),
        Engine.load(tmp_path / "folder").analyse(given),
    )
    assert one.score[0] == two.score[0]
    assert one.score[0] == pytest.approx(one.evidence["errors"].max() / mean.item())


def test_a_score_that_nobody_knows_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="likelihood, excess, distance") as caught:
        train_on_waves(tmp_path, waves(60, STEPS), ScoringConfig("likelyhood"), MODEL)
    assert caught.value.field == "scoring.score"
    assert not (tmp_path / "state").exists()
