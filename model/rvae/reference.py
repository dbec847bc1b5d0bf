"""What a trained model compares windows with: what it remembers, and what errors are normal."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from rvae.artifact import Artifact
from rvae.data.series import Series
from rvae.data.windows import Parts
from rvae.engine import Engine
from rvae.excess import excess, levels
from rvae.memory import room

__all__ = ["refer"]

# Windows that levels are taken from at the most.
MOST_WINDOWS = 20_000


def refer(artifact: Artifact, parts: Parts) -> Artifact:
    """Give a trained model what it needs for the excess of errors.

    What is remembered comes from the training part alone. Levels come from all three: of windows
    that the network was fitted to alone they would be too low, by channel and by kind of error in
    different measure, and the wrong part would decide. The threshold of the scores comes from the
    calibration part, as with any score, so that its promise does not depend on them.

    Args:
        artifact: As training left it.
        parts: The data.
    """
    card = artifact.card
    plain = Engine(artifact)
    count = min(card.scoring.memory, room(card.window * card.scaler.spread))
    if count:
        of_training = plain.parts(parts.training, MOST_WINDOWS)
        usual = _usual(of_training, card.scoring.contamination)
        latent = plain.latents(parts.training, MOST_WINDOWS)[usual]
        chosen = np.linspace(0, len(latent) - 1, min(len(latent), count), dtype=int)
        artifact = replace(artifact, memory=torch.from_numpy(latent[chosen]))
    compared = _parts(Engine(artifact), [*parts.training, *parts.validation, *parts.calibration])
    compared = compared[_usual(compared, card.scoring.contamination)]
    return replace(artifact, card=replace(card, levels=tuple(levels(compared).tolist())))


def _parts(engine: Engine, series: Sequence[Series]) -> NDArray[np.float32]:
    parts = engine.parts(series, MOST_WINDOWS)
    return parts[~np.isnan(parts).all(axis=1)]


def _usual(parts: NDArray[np.float32], contamination: float) -> NDArray[np.bool_]:
    """Which of the windows (W,) hold a value and are not among those with the largest errors."""
    highest = np.fmax.reduce(excess(parts, levels(parts)), axis=1)
    return highest <= np.nanquantile(highest, 1 - contamination)
