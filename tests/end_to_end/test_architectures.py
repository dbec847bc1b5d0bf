"""Every architecture from training to an answer over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import requests
from numpy.typing import NDArray
from pyarrow import parquet

from rvae.config import (
    ConvolutionalConfig,
    DataConfig,
    DenseConfig,
    FlowConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.inference.engine import Engine
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve import Endpoint
from rvae.serving.unix_http import UnixSession
from rvae.training.fit import FitResult, fit
from tests.support.machines import machines
from tests.support.processes import worker_pids
from tests.support.waiting import wait_for
from tests.support.waves import anomalous_waves, waves

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
        "dense",
        dense=DenseConfig((32, 16), normalization="batch"),
        latent=4,
        likelihood="laplace",
    ),
    "linear": ModelConfig("dense", dense=DenseConfig(()), latent=4),
    "linear path": ModelConfig(
        recurrent=RecurrentConfig(hidden=16, bidirectional=True, patch=5),
        linear=True,
        normalization="instance",
        latent=4,
    ),
}


@dataclass(frozen=True)
class Mixed:
    """A model of machines, which takes more than numbers."""

    reader: ReaderConfig
    model: ModelConfig
    epochs: int


LOAD = ReaderConfig(columns=("load",), series="machine")
MIXED = {
    "timetable": Mixed(
        replace(LOAD, categorical=("mode",), time="when"),
        ModelConfig(
            recurrent=RecurrentConfig(hidden=16),
            latent=4,
            time=TimeConfig(calendar=("day",), bypass=True),
        ),
        epochs=20,
    ),
    "sizes": Mixed(
        replace(LOAD, columns=("duty",), classes="size"),
        ModelConfig(
            "dense",
            dense=DenseConfig((32, 16)),
            latent=3,
            posterior="iaf",
            conditional=True,
            likelihood="bernoulli",
        ),
        epochs=40,
    ),
    "places": Mixed(
        replace(LOAD, categorical=("mode",)),
        ModelConfig(
            "convolutional",
            convolutional=ConvolutionalConfig(filters=8, heads=2),
            latent=4,
            posterior="iaf",
            flow=FlowConfig(hidden=16),
            time=TimeConfig(encoding=2, bypass=True),
            likelihood="student_t",
        ),
        epochs=20,
    ),
}
# 301 windows for training: in batches of 30 the last one would be alone.
DATA = DataConfig("waves.npy", window=WINDOW, validation=0.15, calibration=0.15)
TRAINING = TrainingConfig(epochs=20, batch_size=30, quantile=0.95, accelerator="cpu")


# With many tests of single parts behind them, the others only find what a change to all of them
# breaks in some: `make test-slow`.
ALWAYS = ("gru", "linear path", "timetable")


def named(models: Mapping[str, object]) -> list[Any]:
    """Names as parameters of tests."""
    slow = pytest.mark.slow
    return [pytest.param(one, marks=[] if one in ALWAYS else [slow]) for one in models]


CLOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-4}


def ask(server: Endpoint, store: Path, checkpoint: Path, *bodies: dict[str, Any]) -> list[Any]:
    """What the server says to some bodies while it serves the checkpoint, too."""
    archive = build_archive(checkpoint, "architecture", "1.0", store)
    models, manager = "http://localhost/models", UnixSession(server.management)
    workers = len(worker_pids(server))
    options = {"url": archive.name, "initial_workers": "1", "synchronous": "true"}
    try:
        made = manager.post(models, params=options, timeout=120)
        assert made.ok, made.text
        address = f"{server.url}/predictions/architecture"
        answers = [requests.post(address, json=body, timeout=60) for body in bodies]
    finally:
        manager.delete(f"{models}/architecture/1.0", timeout=60)
        archive.unlink()
    wait_for(lambda: len(worker_pids(server)) == workers)
    assert all(answer.ok for answer in answers), [answer.text[:300] for answer in answers]
    return [answer.json() for answer in answers]


@pytest.fixture(scope="module", params=named(MODELS))
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, FitResult]:
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "waves.npy"
    np.save(path, waves(431, WINDOW, channels=2))
    outcome = fit(
        read(path, ReaderConfig()),
        TrainingPlan(
            replace(DATA, path=str(path)),
            MODELS[request.param],
            scoring=ScoringConfig("excess" if MODELS[request.param].linear else "likelihood"),
            training=TRAINING,
        ),
        folder,
        progress=False,
    )
    return request.param, outcome


def test_it_learns(trained: tuple[str, FitResult]) -> None:
    _, outcome = trained
    assert outcome.card.training["windows"]["training"] % TRAINING.batch_size == 1
    assert outcome.card.training["explained_variance"] > 0.5
    assert outcome.card.training["active_units"] >= 2


def test_it_detects(trained: tuple[str, FitResult]) -> None:
    _, outcome = trained
    engine = Engine.load(outcome.checkpoint)
    odd = engine.analyse(list(anomalous_waves(60, WINDOW, 2, seed=5)))
    threshold = outcome.card.calibration.threshold()
    assert np.mean([a.score[0] > threshold for a in odd]) > 0.7


def share_inside(outcome: FitResult, series: Sequence[Any], quantile: float) -> NDArray[Any]:
    """What share of the values of each numeric channel lies in its band."""
    engine = Engine.load(outcome.checkpoint)
    bands, scaler = engine.card.bands, engine.card.scaler
    inside = []
    for one, analysis in zip(series, engine.analyse(series), strict=True):
        lower, upper = bands.around(analysis.reconstruction, scaler, quantile)
        numeric = np.array(scaler.categories) == 0
        assert np.isfinite([lower[:, numeric], upper[:, numeric]]).all()
        assert np.isnan([lower[:, ~numeric], upper[:, ~numeric]]).all()
        values = np.asarray(getattr(one, "values", one))[:, numeric]
        inside.append((values >= lower[:, numeric]) & (values <= upper[:, numeric]))
    return np.mean(inside, axis=(0, 1))


def least(quantile: float) -> float:
    """What that share is at the least after a calibration on 65 windows."""
    # As if a third of the values of a window counted.
    return quantile - 3 * np.sqrt(quantile * (1 - quantile) / (65 * WINDOW / 3))


@pytest.mark.parametrize("quantile", [0.9, 0.95])
def test_its_bands_hold_what_is_normal(trained: tuple[str, FitResult], quantile: float) -> None:
    _, outcome = trained
    shares = share_inside(outcome, list(waves(200, WINDOW, 2, seed=6)), quantile)
    assert (shares > least(quantile)).all()


def test_its_answer_over_http_is_the_engines(
    trained: tuple[str, FitResult], server: Endpoint, store: Path
) -> None:
    _, outcome = trained
    given = waves(5, WINDOW, 2, seed=9)
    given[1, 20:] = np.nan
    given[2, ::3, 0] = np.nan
    engine = Engine.load(outcome.checkpoint)
    analyses = engine.analyse(list(given))
    instances = json.loads(json.dumps(given.tolist()).replace("NaN", "null"))
    latent = np.concatenate([analysis.latent for analysis in analyses])
    scored, encoded, decoded, sampled = ask(
        server,
        store,
        outcome.checkpoint,
        {"instances": instances, "output": list(OUTPUTS)},
        {"instances": instances, "task": "encode"},
        {"task": "decode", "latent": latent.tolist()},
        {"task": "sample", "count": 3, "seed": 7},
    )
    threshold = engine.card.calibration.threshold()
    for one, analysis in zip(scored["predictions"], analyses, strict=True):
        for name in ("score", "latent", "reconstruction", "point_scores", "contributions"):
            said = np.array(one[name], dtype=float)
            np.testing.assert_allclose(said, getattr(analysis, name), **CLOSE)
        assert (np.array(one["lower"]) < one["upper"]).all()
        assert bool(one["events"]) == (analysis.score[0] > threshold)
    for one, analysis in zip(encoded["predictions"], analyses, strict=True):
        np.testing.assert_allclose(one["latent"], analysis.latent, **CLOSE)
    np.testing.assert_allclose(decoded["instances"], engine.decode(latent), **CLOSE)
    np.testing.assert_allclose(sampled["instances"], engine.sample(3, seed=7), **CLOSE)


def train_mixed(mixed: Mixed, folder: Path, **options: Any) -> FitResult:
    path = folder / "machines.parquet"
    parquet.write_table(machines(431, WINDOW), path)
    return fit(
        read(path, mixed.reader),
        TrainingPlan(
            replace(DATA, path=str(path)),
            mixed.model,
            training=replace(TRAINING, **options),
        ),
        folder,
        progress=False,
    )


@pytest.fixture(scope="module", params=named(MIXED))
def of_machines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FitResult, Dataset]:
    folder, mixed = tmp_path_factory.mktemp(request.param), MIXED[request.param]
    outcome = train_mixed(mixed, folder, epochs=mixed.epochs)
    return outcome, read_machines(outcome, machines(8, WINDOW, seed=9), folder)


def read_machines(outcome: FitResult, table: pa.Table, folder: Path) -> Dataset:
    path = folder / "fresh.parquet"
    parquet.write_table(table, path)
    return read(path, outcome.card.reader, outcome.card.vocabulary)


def test_it_learns_mixed_channels(of_machines: tuple[FitResult, Dataset]) -> None:
    outcome, _ = of_machines
    assert outcome.card.training["explained_variance"] > 0.6
    assert outcome.card.training["active_units"] >= 2


@pytest.mark.parametrize("quantile", [0.9, 0.95])
def test_bands_hold_what_is_normal_of_mixed_channels(
    of_machines: tuple[FitResult, Dataset], tmp_path: Path, quantile: float
) -> None:
    outcome, _ = of_machines
    fresh = read_machines(outcome, machines(200, WINDOW, seed=6), tmp_path).series
    assert (share_inside(outcome, fresh, quantile) > least(quantile)).all()


@pytest.mark.parametrize("name", named(MIXED))
def test_it_trains_in_half_precision_and_with_processes_that_load(
    name: str, tmp_path: Path
) -> None:
    def scores(**options: Any) -> NDArray[np.float64]:
        outcome = train_mixed(MIXED[name], tmp_path, epochs=1, **options)
        return outcome.card.calibration.scores

    alone = scores()
    np.testing.assert_array_equal(scores(workers=1), alone)
    np.testing.assert_allclose(scores(precision="bf16-mixed"), alone, rtol=0.05, atol=0.05)


def test_what_was_said_besides_matters(
    of_machines: tuple[FitResult, Dataset], tmp_path: Path
) -> None:
    """Another time, class or category than it was makes the same numbers strange."""
    outcome, fresh = of_machines
    engine = Engine.load(outcome.checkpoint)
    table = machines(8, WINDOW, seed=9)

    def scores(dataset: Dataset) -> NDArray[Any]:
        return np.array([analysis.score[0] for analysis in engine.analyse(dataset.series)])

    def changed(name: str, column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
        other = table.set_column(table.column_names.index(name), name, column)
        return scores(read_machines(outcome, other, tmp_path))

    reader, usual = outcome.card.reader, scores(fresh)
    if reader.time:
        later = pc.add(table["when"], np.timedelta64(12 * 3600 * 10**6, "us"))
        assert (changed("when", later) > usual + 0.1).mean() > 0.7
    if reader.classes:
        swapped = pc.if_else(pc.equal(table["size"], "small"), "large", "small")
        assert changed("size", swapped).mean() > usual.mean() + 0.02
    if reader.categorical:
        odd = ["broken" if i % WINDOW == 5 else m for i, m in enumerate(table["mode"].to_pylist())]
        assert (changed("mode", pa.array(odd)) > usual + 0.1).all()


def test_its_answer_over_http_is_the_engines_with_everything_besides(
    of_machines: tuple[FitResult, Dataset], server: Endpoint, store: Path
) -> None:
    outcome, fresh = of_machines
    card, vocabulary = outcome.card, outcome.card.vocabulary
    analyses = Engine.load(outcome.checkpoint).analyse(fresh.series)
    mode = vocabulary.categories.get("mode")
    instances = [
        [[row[0], *(mode[int(code) - 1] for code in row[1:])] for row in one.values.tolist()]
        for one in fresh.series
    ]
    body = {"instances": instances, "output": ["score", "latent", "reconstruction"]}
    if card.model.time.calendar:
        body["timestamps"] = [one.clock().astype(str).tolist() for one in fresh.series]
    if card.model.conditional:
        body["label"] = [vocabulary.classes[one.classes[0]] for one in fresh.series]
    (answer,) = ask(server, store, outcome.checkpoint, body)
    assert len(answer["predictions"]) == len(analyses)
    for one, analysis in zip(answer["predictions"], analyses, strict=True):
        np.testing.assert_allclose(one["score"], analysis.score, **CLOSE)
        np.testing.assert_allclose(one["latent"], analysis.latent, **CLOSE)
        for said, expected in zip(one["reconstruction"], analysis.reconstruction, strict=True):
            np.testing.assert_allclose(said[0], expected[0], **CLOSE)
            assert said[1:] == [mode[int(code) - 1] for code in expected[1:]]
