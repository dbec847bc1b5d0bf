"""What follows training: a checkpoint that knows what its scores mean."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from rvae.data.window_dataset import WindowDataset
from rvae.inference.artifact import CARD_KEY, MEMORY_KEY, Artifact
from rvae.inference.engine import Engine
from rvae.scoring.bands import Bands
from rvae.scoring.calibration import Calibration, windows_needed
from rvae.training.reference import refer
from rvae.training.validation import assess

__all__ = ["finish"]

# More would travel with the checkpoint and tell hardly a quantile better.
MOST_SCORES = 100_000
MOST_WINDOWS = 4_000

# What these windows hold fits into a hundred megabytes.
MOST_RESIDUALS = 1 << 24


def finish(best: Path, final: Path, windows: Mapping[str, WindowDataset], quantile: float) -> None:
    """Turn the best checkpoint into one that is calibrated and says how good it is.

    Args:
        best: What training has left.
        final: Where to write.
        windows: Of the training part; of validation, which the model is judged by; and of
            calibration, which its threshold is taken from.
        quantile: Of the scores, that becomes the threshold.
    """
    artifact = Artifact.load(best)
    if artifact.card.scoring.score != "likelihood":
        artifact = refer(artifact, windows)
    engine = Engine(artifact)
    card = engine.card
    needed = windows_needed(quantile)
    scores = engine.scores(windows["calibration"], max(MOST_SCORES, needed))
    most = min(MOST_WINDOWS, max(1, MOST_RESIDUALS // (card.window * len(card.channels))))
    if (~np.isnan(scores)).sum() < needed:  # few of very many hold a value
        most = sys.maxsize
        scores = engine.scores(windows["calibration"], most)
    independent, contamination = windows["calibration"].independent, card.scoring.contamination
    calibration = Calibration.fit(scores, quantile, independent, contamination)
    residuals = engine.residuals(
        windows["calibration"], most, calibration.scores[-1] if contamination else np.inf
    )
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    card = replace(
        card,
        calibration=calibration,
        bands=Bands.fit(residuals, independent, card.model.likelihood == "bernoulli"),
        training={
            **card.training,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "epoch": checkpoint["epoch"],
            **assess(artifact.build(), card, windows["validation"]),
        },
    )
    checkpoint[CARD_KEY] = card.to_dict()
    checkpoint[MEMORY_KEY] = artifact.memory
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # A reader sees the old checkpoint or the new one, whole.
