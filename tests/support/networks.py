"""Small networks of every kind, scorers for them, and windows that they are compared by."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.config import (
    ConvolutionalConfig,
    DenseConfig,
    ModelConfig,
    RecurrentConfig,
    ScoringConfig,
    TimeConfig,
)
from rvae.data.window_dataset import Batch
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.onnx_export import export
from rvae.inference.runtimes.loading import torch_runtime
from rvae.inference.runtimes.report import Parity, RuntimeReport
from rvae.inference.runtimes.torch_runtime import TorchRuntime
from tests.support.untrained import MODE, untrained_artifact, untrained_card

__all__ = ["NETWORKS", "SCORES", "network_card", "random_windows", "scored", "with_graphs"]

# A number of steps that patches and strides do not divide.
STEPS, LATENT = 13, 3


def _recurrent(**options: Any) -> ModelConfig:
    return ModelConfig(recurrent=RecurrentConfig(hidden=6, **options), latent=LATENT)


def _lstm(**options: Any) -> ModelConfig:
    return replace(_recurrent(), **options)


# By what is said in tests. Those that are named for categories have a categorical channel.
NETWORKS: Mapping[str, ModelConfig] = {
    "lstm": _recurrent(),
    "gru": _recurrent(cell="gru", depth=2),
    "both directions": _recurrent(bidirectional=True),
    "both directions gru": _recurrent(cell="gru", depth=2, bidirectional=True),
    "conditioned at every step": _recurrent(conditioning="every_step"),
    "feedback": _recurrent(conditioning="feedback"),
    "patches": _recurrent(patch=3),
    "layer normalization": _recurrent(depth=2, normalization="layer"),
    "batch normalization": _recurrent(depth=2, normalization="batch"),
    "both directions with layer normalization": _recurrent(
        bidirectional=True, depth=2, normalization="layer"
    ),
    "both directions with batch normalization": _recurrent(
        cell="gru", bidirectional=True, depth=2, normalization="batch"
    ),
    "convolutional": ModelConfig(
        "convolutional", convolutional=ConvolutionalConfig(filters=8), latent=LATENT
    ),
    "convolutional with layer normalization": ModelConfig(
        "convolutional",
        convolutional=ConvolutionalConfig(filters=8, normalization="layer"),
        latent=LATENT,
    ),
    "dense": ModelConfig("dense", dense=DenseConfig((8,)), latent=LATENT),
    "no hidden layer": ModelConfig("dense", dense=DenseConfig(()), latent=LATENT),
    "linear path": _lstm(linear=True),
    "flow": _lstm(posterior="iaf"),
    "instance normalization": _lstm(normalization="instance"),
    "times": _lstm(time=TimeConfig(encoding=2, calendar=("day",), bypass=True)),
    "classes": _lstm(conditional=True),
    "student_t": _lstm(likelihood="student_t"),
    "laplace": _lstm(likelihood="laplace"),
    "huber": _lstm(likelihood="huber"),
    "bernoulli": _lstm(likelihood="bernoulli"),
    "categories": _lstm(),
    "categories with instance normalization": _lstm(normalization="instance"),
}

# Options of each score, and how many levels it has for two channels.
SCORES: Mapping[str, tuple[ScoringConfig, int]] = {
    "likelihood": (ScoringConfig(), 0),
    "excess": (ScoringConfig("excess"), 3),
    "excess with level": (ScoringConfig("excess", level=1.5), 5),
    "distance": (ScoringConfig("distance"), 1),
}


def network_card(kind: str) -> Card:
    """A card of two channels for a kind of networks."""
    model = NETWORKS[kind]
    categorical = kind.startswith("categories")
    return untrained_card(
        model,
        ("heat", "mode" if categorical else "cold"),
        MODE if categorical else None,
        ("u", "v") if model.conditional else (),
        STEPS,
    )


def scored(card: Card, score: str) -> Artifact:
    """Random weights for a card, with the random state of a scorer, always the same."""
    scoring, count = SCORES[score]
    random = np.random.default_rng(0)
    state: dict[str, NDArray[Any]] = {}
    if count:
        state = {
            "memory": random.normal(size=(50, card.model.latent)).astype(np.float32),
            "levels": np.abs(random.normal(size=count)) + 0.1,
        }
    artifact = untrained_artifact(card)
    return replace(artifact, card=replace(card, scoring=scoring), scorer=state)


def random_windows(card: Card, count: int) -> Batch:
    """Windows with missing values, always the same.

    The first one ends halfway; of three or more, the second has no value and the third but one
    channel.
    """
    random = np.random.default_rng(count)
    shape = (count, card.window, len(card.channels))
    bounded = card.model.likelihood == "bernoulli"
    x = (random.random(shape) if bounded else random.normal(size=shape)).astype(np.float32)
    for channel, categories in enumerate(card.scaler.categories):
        if categories:  # 0 is unknown
            x[..., channel] = random.integers(0, categories + 1, shape[:2])
    x[random.random(shape) < 0.3] = np.nan
    x[0, card.window // 2 :] = np.nan
    if count >= 3:
        x[1] = np.nan
        x[2, :, 0] = np.nan
    features = 2 * len(card.model.time.calendar)
    time = random.normal(size=(count, card.window, features)).astype(np.float32)
    return Batch(x, time, random.integers(0, 2, count))


def with_graphs(artifact: Artifact) -> Artifact:
    """The same model with graphs for ONNX Runtime, whose parity was not measured."""
    runtime, _ = torch_runtime(artifact)
    assert isinstance(runtime, TorchRuntime)
    graphs = export(artifact.card, runtime.network, runtime.scorer)
    checksums = {
        name: "sha256:" + hashlib.sha256(graph).hexdigest() for name, graph in graphs.items()
    }
    parity = Parity(0, 0.0, 0.0, 0.0, 0.0, 0, 1e-4, recalibrated=False)
    card = replace(artifact.card, runtime=RuntimeReport("onnx", checksums, parity, {}))
    return replace(artifact, card=card, graphs=graphs)
