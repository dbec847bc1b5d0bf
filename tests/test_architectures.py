"""Every architecture from training to an answer over HTTP."""

import json
from dataclasses import replace

import numpy as np
import pytest
import requests

from rvae.config import (
    ConvolutionalConfig,
    DataConfig,
    DenseConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
)
from rvae.data.readers import read
from rvae.engine import Engine
from rvae.packaging import build_archive
from rvae.server import TorchServe, archives_in
from rvae.training import fit
from waves import anomalous_waves, waves

WINDOW = 24
MODELS = {
    "gru": ModelConfig(
        recurrent=RecurrentConfig("gru", 16, bidirectional=True, conditioning="every_step"),
        latent=4,
    ),
    "feedback": ModelConfig(
        recurrent=RecurrentConfig(hidden=16, conditioning="feedback"), latent=4, likelihood="huber"
    ),
    "convolutional": ModelConfig(
        "convolutional",
        convolutional=ConvolutionalConfig(filters=8, heads=2),
        latent=4,
        likelihood="student_t",
    ),
    "dense": ModelConfig(
        "dense", dense=DenseConfig((32, 16), batch_norm=True), latent=4, likelihood="laplace"
    ),
    "linear": ModelConfig("dense", dense=DenseConfig(()), latent=4),
}
# 301 windows for training: in batches of 30 the last one would be alone.
DATA = DataConfig("waves.npy", window=WINDOW, validation=0.15, calibration=0.15)
TRAINING = TrainingConfig(epochs=20, batch_size=30, quantile=0.95, accelerator="cpu")


@pytest.fixture(scope="module", params=MODELS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "waves.npy"
    np.save(path, waves(431, WINDOW, channels=2))
    outcome = fit(
        read(path, ReaderConfig()),
        replace(DATA, path=str(path)),
        MODELS[request.param],
        ObjectiveConfig(),
        TRAINING,
        folder,
        progress=False,
    )
    return request.param, outcome


def test_it_learns(trained):
    _, outcome = trained
    assert outcome.card.training["windows"]["training"] % TRAINING.batch_size == 1
    assert outcome.card.training["explained_variance"] > 0.5
    assert outcome.card.training["active_units"] >= 2


def test_it_detects(trained):
    _, outcome = trained
    engine = Engine.load(outcome.checkpoint)
    odd = engine.analyse(list(anomalous_waves(60, WINDOW, 2, seed=5)))
    threshold = outcome.card.require_calibration().threshold()
    assert np.mean([a.score[0] > threshold for a in odd]) > 0.7


def test_its_answer_over_http_is_the_engines(trained, tmp_path):
    name, outcome = trained
    build_archive(outcome.checkpoint, name, "1.0", tmp_path / "store")
    given = waves(5, WINDOW, 2, seed=9)
    given[1, 20:] = np.nan
    given[2, ::3, 0] = np.nan
    analyses = Engine.load(outcome.checkpoint).analyse(list(given))
    instances = json.loads(json.dumps(given.tolist()).replace("NaN", "null"))
    output = ["score", "latent", "reconstruction"]
    archives = archives_in(tmp_path / "store")
    with TorchServe(archives, "127.0.0.1", 0, 1, tmp_path / "logs") as server:
        server.wait_until_ready(120)
        answer = requests.post(
            f"{server.inference}/predictions/{name}",
            json={"instances": instances, "output": output},
            timeout=60,
        )
    assert answer.ok, answer.text
    close = {"rtol": 1e-3, "atol": 1e-4}
    for one, analysis in zip(answer.json()["predictions"], analyses, strict=True):
        np.testing.assert_allclose(one["score"], analysis.score, **close)
        np.testing.assert_allclose(one["latent"], analysis.latent, **close)
        np.testing.assert_allclose(one["reconstruction"], analysis.reconstruction, **close)
