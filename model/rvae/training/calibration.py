"""Steps after training: the scorer is fitted, and its scores are calibrated."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rvae.config import TrainingConfig
from rvae.config.alarms import alarm_rate
from rvae.data.scaler import Scaler
from rvae.data.sketch import sketch
from rvae.data.window_dataset import WindowDataset
from rvae.inference.building import build_network
from rvae.inference.card import Card, ModelSpec
from rvae.inference.checkpoints import CARD_KEY, SCORER_KEY, network_weights, spec_of
from rvae.inference.runner import MAX_SCORES, Runner, residual_windows
from rvae.inference.runtimes.torch_runtime import TorchRuntime
from rvae.networks.vae import VAE
from rvae.scoring.bands import Bands
from rvae.scoring.blocks import Blocks, Stretch, dependence_steps
from rvae.scoring.calibration import Calibration
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import SCORERS
from rvae.training.validation import assess

__all__ = ["HeldOut", "calibrate", "calibrated", "hold_out"]

# Enough to show how long scores depend on each other.
MAX_DEPENDENT_SCORES = 20_000

ALARMS = "training.alarms"

# Parts that a scorer is fitted to.
FITTED = ("training", "validation")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores and residuals of windows that a model has not seen.

    Attributes:
        stretches: Scores, in time order.
        residuals: Residuals of some of the windows, values minus reconstruction (R, T, C), in units
            of the final model's scaler; NaN where missing and for categorical channels.
        residual_scores: Scores of these windows (R,).
    """

    stretches: Sequence[Stretch]
    residuals: NDArray[np.float32]
    residual_scores: NDArray[np.float64]


def hold_out(
    best: Path, windows: Mapping[str, WindowDataset], scaler: Scaler, folds: int
) -> HeldOut:
    """Scores and residuals of a fold, by the model that was trained without it.

    Args:
        best: Checkpoint of this model.
        windows: Its windows of the parts "training" and "validation", and those of the fold as
            "calibration".
        scaler: Scaler of the final model.
        folds: Number of folds.
    """
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    spec = spec_of(checkpoint)
    network = build_network(spec, network_weights(checkpoint))
    with warnings.catch_warnings():
        # A channel may be missing wherever the fold is not: its level is zero.
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        runner, _ = _fitted(spec, network, windows)
    return _held_out(runner, spec, windows["calibration"], scaler, folds)


def calibrate(
    best: Path,
    final: Path,
    windows: Mapping[str, WindowDataset],
    training: TrainingConfig,
    folds: Sequence[HeldOut] = (),
) -> None:
    """Turn the best checkpoint into one with a calibration and validation results.

    Args:
        best: Checkpoint of the training.
        final: File to write.
        windows: Windows of the parts "training" and "validation", and of "calibration" if there are
            no folds.
        training: Options, with the quantile or the rate of alarms that define the threshold.
        folds: What models that were trained without one of the folds say of it.
    """
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    spec = spec_of(checkpoint)
    network = build_network(spec, network_weights(checkpoint))
    runner, scorer = _fitted(spec, network, windows)
    held_out = folds or [_held_out(runner, spec, windows["calibration"], spec.scaler, 1)]
    fitted = [runner.stretches(windows[name], MAX_DEPENDENT_SCORES) for name in FITTED]
    stretches = [stretch for fold in held_out for stretch in fold.stretches]
    calibration = calibrated(stretches, fitted, spec, training, successive=len(folds) > 0)
    highest = calibration.scores[-1] if spec.scoring.contamination else np.inf
    normal = (fold.residuals[~(fold.residual_scores > highest)] for fold in held_out)
    bands = Bands.fit(normal, calibration.blocks.count)
    summary = {
        **spec.training,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "epoch": checkpoint["epoch"],
        **assess(network, spec, windows["validation"]),
    }
    distribution = sketch(windows["training"].series, spec.scaler.categories)
    card = Card.finish(spec, calibration, bands, summary, distribution)
    checkpoint[CARD_KEY] = card.to_dict()
    checkpoint[SCORER_KEY] = scorer.state()
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # Atomic: a reader sees the old or the new checkpoint.


def _fitted(
    spec: ModelSpec, network: VAE, windows: Mapping[str, WindowDataset]
) -> tuple[Runner, Scorer]:
    """The scorer that is fitted to a network, and what runs both."""
    fitted = {name: windows[name] for name in FITTED}
    scorer = SCORERS.lookup(spec.scoring.score).fit(network, spec.scaler, spec.scoring, fitted)
    return Runner(spec, TorchRuntime(network, scorer, torch.device("cpu")), scorer), scorer


def _held_out(
    runner: Runner, spec: ModelSpec, windows: WindowDataset, scaler: Scaler, folds: int
) -> HeldOut:
    """Scores and residuals, of as many windows as one of so many folds may have."""
    batches = list(runner.residuals(windows, max(1, residual_windows(spec) // folds)))
    # Residuals are differences, so that the means of the scalers have no part in them.
    units = (np.array(spec.scaler.scale) / np.array(scaler.scale)).astype(np.float32)
    return HeldOut(
        runner.stretches(windows, MAX_SCORES // folds),
        np.concatenate([residuals for residuals, _ in batches]) * units,
        np.concatenate([scores for _, scores in batches]),
    )


def calibrated(
    stretches: Sequence[Stretch],
    fitted: Iterable[Sequence[Stretch]],
    spec: ModelSpec,
    training: TrainingConfig,
    successive: bool = False,
) -> Calibration:
    """Calibration by the scores of held-out windows.

    Args:
        stretches: Scores of held-out windows, in time order.
        fitted: Scores of the windows of each part that the model was fitted to, which tell only how
            long scores depend on each other.
        spec: Specification of the model.
        training: Options, with the quantile or the rate of alarms that define the threshold.
        successive: Whether the held-out windows are those of folds, see `Blocks.fit`.
    """
    time = dependence_steps([stretches, *fitted], spec.stride)
    blocks = Blocks.fit(stretches, spec.window, spec.stride, time, successive)
    alarms = training.alarms
    return Calibration.fit(
        blocks,
        training.quantile,
        None if alarms is None else alarm_rate(alarms, spec.interval, blocks.steps, ALARMS),
        spec.scoring.contamination,
    )
