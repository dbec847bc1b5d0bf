"""What follows training: a checkpoint that knows what its scores mean."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from rvae.artifact import CARD_KEY, Artifact
from rvae.calibration import Calibration, windows_needed
from rvae.data.series import Series
from rvae.engine import Engine
from rvae.held_out import assess

__all__ = ["finish"]

# More would travel with the checkpoint and tell hardly a quantile better.
MOST_SCORES = 100_000


def finish(
    best: Path,
    final: Path,
    validation: Sequence[Series],
    calibration: Sequence[Series],
    quantile: float,
) -> None:
    """Turn the best checkpoint into one that is calibrated and says how good it is.

    Args:
        best: What training has left.
        final: Where to write.
        validation: What to judge the model by.
        calibration: What its scores are taken from.
        quantile: Of them, that becomes the threshold.
    """
    engine = Engine.load(best)
    card = engine.card
    needed = windows_needed(quantile)
    scores = engine.scores(calibration, max(MOST_SCORES, needed))
    if (~np.isnan(scores)).sum() < needed:
        scores = engine.scores(calibration, sys.maxsize)  # few of very many hold a value
    apart = sum(len(s) // card.window for s in calibration)
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    card = replace(
        card,
        calibration=Calibration.fit(scores, quantile, independent=min(apart, len(scores))),
        training={
            **card.training,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "epoch": checkpoint["epoch"],
            **assess(Artifact.load(best).build(), card, engine.windows(validation, card.stride)),
        },
    )
    checkpoint[CARD_KEY] = card.to_dict()
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # A reader sees the old checkpoint or the new one, whole.
