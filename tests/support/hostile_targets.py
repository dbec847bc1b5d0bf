"""The models that hostile requests are sent to: one of the simplest kind, one that has everything.

They are not trained, and what they say is nonsense.
"""

from dataclasses import replace
from pathlib import Path

from rvae.config import ModelConfig, ReaderConfig, RecurrentConfig, TimeConfig
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.packaging import build_archive
from tests.support.untrained import untrained_artifact, untrained_card, untrained_engine

__all__ = ["CARDS", "archived", "engines"]

FULL = ModelConfig(
    recurrent=RecurrentConfig(hidden=6),
    latent=3,
    conditional=True,
    time=TimeConfig(calendar=("hour", "week")),
)

CARDS: dict[str, Card] = {
    "simple": untrained_card(),
    "full": untrained_card(
        FULL,
        ("heat", "load", "mode"),
        {"mode": ("off", "on", "1")},
        ("busy", "idle"),
        reader=ReaderConfig(time="when", classes="kind", series="unit"),
    ),
}


def engines() -> dict[str, Engine]:
    """The models, in this process."""
    return {name: untrained_engine(card) for name, card in CARDS.items()}


def archived(folder: Path) -> Path:
    """The models, as a model store."""
    for name, card in CARDS.items():
        dated = replace(card, training={"finished": "2026-01-31T12:00:00+00:00"})
        untrained_artifact(dated).save(folder / name)
        build_archive(folder / name, name, "1.0", folder / "store")
    return folder / "store"
