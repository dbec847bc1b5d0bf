"""Steps after training: the scorer is fitted, and its scores are calibrated."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from rvae.config import TrainingConfig
from rvae.config.alarms import alarm_rate
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
from rvae.scoring.blocks import Blocks, Stretch, dependence_steps
from rvae.scoring.calibration import Calibration
from rvae.scoring.scorers import SCORERS
from rvae.training.validation import assess

__all__ = ["calibrate", "calibrated"]

# More scores would enlarge the checkpoint, and hardly improve a quantile.
MAX_SCORES = 100_000

# Enough to show how long scores depend on each other.
MAX_DEPENDENT_SCORES = 20_000

MAX_WINDOWS = 4_000

ALARMS = "training.alarms"

# The values of these windows fit into a hundred megabytes.
MAX_RESIDUALS = 1 << 24


def calibrate(
    best: Path, final: Path, windows: Mapping[str, WindowDataset], training: TrainingConfig
) -> None:
    """Turn the best checkpoint into one with a calibration and validation results.

    Args:
        best: Checkpoint of the training.
        final: File to write.
        windows: Windows of the parts "training", "validation" and "calibration".
        training: Options, with the quantile or the rate of alarms that define the threshold.
    """
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    spec = spec_of(checkpoint)
    network = build_network(spec, network_weights(checkpoint))
    fitted = {name: windows[name] for name in ("training", "validation")}
    scorer = SCORERS.lookup(spec.scoring.score).fit(network, spec.scaler, spec.scoring, fitted)
    runner = Runner(spec, network, scorer, torch.device("cpu"))
    calibration, bands = _calibrate(runner, spec, windows, training)
    summary = {
        **spec.training,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "epoch": checkpoint["epoch"],
        **assess(network, spec, windows["validation"]),
    }
    checkpoint[CARD_KEY] = Card.finish(spec, calibration, bands, summary).to_dict()
    checkpoint[SCORER_KEY] = scorer.state()
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # Atomic: a reader sees the old or the new checkpoint.


def _calibrate(
    runner: Runner,
    spec: ModelSpec,
    windows: Mapping[str, WindowDataset],
    training: TrainingConfig,
) -> tuple[Calibration, Bands]:
    """Calibration of the scores of held-out windows, and bands around reconstructions."""
    held_out = windows["calibration"]
    stretches = runner.stretches(held_out, MAX_SCORES)
    if all(np.isnan(one.scores).all() for one in stretches):  # what has values was not chosen
        stretches = runner.stretches(held_out, len(held_out))
    fitted = [
        runner.stretches(windows[name], MAX_DEPENDENT_SCORES) for name in ("training", "validation")
    ]
    calibration = calibrated(stretches, fitted, spec, training)
    count = min(MAX_WINDOWS, max(1, MAX_RESIDUALS // (spec.window * len(spec.channels))))
    highest = calibration.scores[-1] if spec.scoring.contamination else np.inf
    residuals = runner.residuals(held_out, count, highest)
    return calibration, Bands.fit(residuals, calibration.blocks.count)


def calibrated(
    stretches: Sequence[Stretch],
    fitted: Iterable[Sequence[Stretch]],
    spec: ModelSpec,
    training: TrainingConfig,
) -> Calibration:
    """Calibration by the scores of held-out windows.

    Args:
        stretches: Scores of held-out windows, in time order.
        fitted: Scores of the windows of each part that the model was fitted to, which tell only how
            long scores depend on each other.
        spec: Specification of the model.
        training: Options, with the quantile or the rate of alarms that define the threshold.
    """
    time = dependence_steps([stretches, *fitted], spec.stride)
    blocks = Blocks.fit(stretches, spec.window, spec.stride, time)
    alarms = training.alarms
    return Calibration.fit(
        blocks,
        training.quantile,
        None if alarms is None else alarm_rate(alarms, spec.interval, blocks.steps, ALARMS),
        spec.scoring.contamination,
    )
