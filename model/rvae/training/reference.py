"""What a trained model compares windows with: what it remembers, and what errors are normal."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from rvae.data.window_dataset import WindowDataset
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.excess import largest, levels
from rvae.scoring.nearest_windows import room

__all__ = ["refer"]

# Windows that levels are taken from at the most.
MOST_WINDOWS = 20_000


def refer(artifact: Artifact, windows: Mapping[str, WindowDataset]) -> Artifact:
    """Give a trained model what it needs for the excess of errors.

    What is remembered comes from the training part alone. Levels come from all three: of windows
    that the network was fitted to alone they would be too low, by channel and by kind of error in
    different measure, and the wrong part would decide. The threshold of the scores comes from the
    calibration part, as with any score, so that its promise does not depend on them.

    Args:
        artifact: As training left it.
        windows: Of each part of the data; of training those that are taken as normal.
    """
    card = artifact.card
    count = min(card.scoring.memory, room(card.window * card.scaler.spread))
    if count:
        latent = Engine(artifact).latents(windows["training"], count)
        artifact = replace(artifact, memory=torch.from_numpy(latent))
    engine = Engine(artifact)
    of_training = engine.parts(windows["training"], MOST_WINDOWS)
    held_out = [engine.parts(windows[name], MOST_WINDOWS) for name in ("validation", "calibration")]
    usual = [_usual(parts, card.scoring.contamination) for parts in held_out]
    together = np.concatenate([of_training, *usual])
    found = levels(together)
    if card.scoring.level is not None:
        of_levels = slice(len(card.channels), 2 * len(card.channels))
        farthest = np.fmax.reduce(together[:, of_levels])
        found[of_levels] = np.nan_to_num(farthest * card.scoring.level**2)
    return replace(artifact, card=replace(card, levels=tuple(found.tolist())))


def _usual(parts: NDArray[np.float32], contamination: float) -> NDArray[np.float32]:
    """Those of some windows (W, P) that are not among the share with the largest errors."""
    highest = largest(parts, levels(parts))
    return parts[~(highest > np.nanquantile(highest, 1 - contamination))]
