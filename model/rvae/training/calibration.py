"""Steps after training: the scorer is fitted, and its scores are calibrated."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from rvae.data.window_dataset import WindowDataset
from rvae.inference.artifact import (
    CARD_KEY,
    SCORER_KEY,
    build_network,
    network_weights,
    spec_of,
)
from rvae.inference.card import Card, ModelSpec
from rvae.inference.runner import Runner
from rvae.scoring.bands import Bands
from rvae.scoring.calibration import Calibration, windows_needed
from rvae.scoring.scorers import SCORERS
from rvae.training.validation import assess

__all__ = ["calibrate"]

# More scores would enlarge the checkpoint, and hardly improve a quantile.
MAX_SCORES = 100_000
MAX_WINDOWS = 4_000

# The values of these windows fit into a hundred megabytes.
MAX_RESIDUALS = 1 << 24


def calibrate(
    best: Path, final: Path, windows: Mapping[str, WindowDataset], quantile: float
) -> None:
    """Turn the best checkpoint into one with a calibration and validation results.

    Args:
        best: Checkpoint of the training.
        final: File to write.
        windows: Windows of the parts "training", "validation" and "calibration".
        quantile: Quantile of the scores that becomes the threshold.
    """
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    spec = spec_of(checkpoint)
    network = build_network(spec, network_weights(checkpoint))
    scorer = SCORERS.lookup(spec.scoring.score).fit(network, spec.scaler, spec.scoring, windows)
    runner = Runner(spec, network, scorer, torch.device("cpu"))
    calibration, bands = _calibrate(runner, spec, windows["calibration"], quantile)
    training = {
        **spec.training,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "epoch": checkpoint["epoch"],
        **assess(network, spec, windows["validation"]),
    }
    checkpoint[CARD_KEY] = Card.finish(spec, calibration, bands, training).to_dict()
    checkpoint[SCORER_KEY] = scorer.state()
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # Atomic: a reader sees the old or the new checkpoint.


def _calibrate(
    runner: Runner, spec: ModelSpec, windows: WindowDataset, quantile: float
) -> tuple[Calibration, Bands]:
    """Calibration of the scores of held-out windows, and bands around reconstructions."""
    needed = windows_needed(quantile)
    scores = runner.scores(windows, max(MAX_SCORES, needed))
    count = min(MAX_WINDOWS, max(1, MAX_RESIDUALS // (spec.window * len(spec.channels))))
    if (~np.isnan(scores)).sum() < needed:  # most of the chosen windows hold no value
        count = sys.maxsize
        scores = runner.scores(windows, count)
    contamination = spec.scoring.contamination
    calibration = Calibration.fit(scores, quantile, windows.independent, contamination)
    highest = calibration.scores[-1] if contamination else np.inf
    residuals = runner.residuals(windows, count, highest)
    return calibration, Bands.fit(residuals, windows.independent)
