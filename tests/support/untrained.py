"""Models of every kind at no cost: what they say is nonsense, but in the right form."""

import numpy as np
import torch

from rvae.config import (
    DenseConfig,
    FlowConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    ScoringConfig,
    TimeConfig,
)
from rvae.data.scaler import Scaler
from rvae.data.vocabulary import Vocabulary
from rvae.inference.artifact import Artifact
from rvae.inference.building import network_of
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.scoring.bands import Bands
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration

__all__ = ["KINDS", "MODE", "untrained_artifact", "untrained_card", "untrained_engine"]

SMALL = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=3)


def untrained_card(
    model: ModelConfig = SMALL,
    channels: tuple[str, ...] = ("heat",),
    categories: dict[str, tuple[str, ...]] | None = None,
    classes: tuple[str, ...] = (),
    window: int = 8,
    reader: ReaderConfig = ReaderConfig(),
) -> Card:
    """A card: numeric channels lie around 20, or in [0, 1] where the likelihood wants that."""
    vocabulary = Vocabulary(categories or {}, classes)
    sizes = vocabulary.sizes(channels)
    stays = [count > 0 or model.likelihood == "bernoulli" for count in sizes]
    scaler = Scaler(
        tuple(0.0 if one else 20.0 for one in stays),
        tuple(1.0 if one else 2.0 for one in stays),
        sizes,
        model.likelihood == "bernoulli",
    )
    residuals = np.where(np.array(sizes) == 0, np.linspace(-2, 2, 999)[:, None, None], np.nan)
    return Card(
        model=model,
        channels=channels,
        units={},
        vocabulary=vocabulary,
        window=window,
        stride=1,
        reader=reader,
        scaler=scaler,
        interval=3600.0 if model.time.calendar else None,
        training={},
        scoring=ScoringConfig(),
        calibration=Calibration.fit(Blocks.without_order(np.linspace(0, 2, 99), 99, window), 0.95),
        bands=Bands.fit([residuals.astype(np.float32)], 999),
        versions={},
    )


def untrained_artifact(card: Card) -> Artifact:
    """Random weights, always the same for a card."""
    torch.manual_seed(0)
    weights = network_of(card).state_dict()
    return Artifact(card, {name: tensor.numpy() for name, tensor in weights.items()})


def untrained_engine(card: Card, device: str = "cpu") -> Engine:
    """An engine with random weights, always the same for a card."""
    return Engine(untrained_artifact(card), device)


MODE: dict[str, tuple[str, ...]] = {"mode": ("off", "on", "3")}
# One of each kind of models, by what is said in tests.
KINDS = {
    "numbers": untrained_card(),
    "several": untrained_card(channels=("heat", "speed")),
    "categories": untrained_card(channels=("heat", "mode"), categories=MODE),
    "one categorical channel": untrained_card(channels=("mode",), categories=MODE),
    "calendar": untrained_card(
        ModelConfig(recurrent=SMALL.recurrent, time=TimeConfig(2, ("hour", "year"), bypass=True))
    ),
    "conditional": untrained_card(
        ModelConfig(recurrent=SMALL.recurrent, conditional=True), classes=("0", "old")
    ),
    "bernoulli": untrained_card(
        ModelConfig("dense", dense=DenseConfig(()), likelihood="bernoulli"), ("one", "two")
    ),
    "everything": untrained_card(
        ModelConfig(
            "convolutional",
            posterior="iaf",
            flow=FlowConfig(hidden=8),
            time=TimeConfig(calendar=("day",)),
            conditional=True,
            likelihood="bernoulli",
        ),
        ("duty", "mode"),
        MODE,
        ("new", "old"),
    ),
}
