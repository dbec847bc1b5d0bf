"""Scores of every normal window by a model that has not seen it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch

from rvae.config import TrainingPlan
from rvae.inference.card import ModelSpec
from rvae.inference.checkpoints import CARD_KEY, read_spec
from rvae.scoring.blocks import Stretch
from rvae.training.calibration import HeldOut, hold_out
from rvae.training.pca_init import initialize_from_pca
from rvae.training.prepare import Preparation
from rvae.training.resume import settings_of
from rvae.training.trainer import FOLD, STATE, make_run

__all__ = ["FOLDS_FILE", "cross_fit"]

# In the folder of the state: what is known of the folds so far.
FOLDS_FILE = "folds.ckpt"


def cross_fit(
    plan: TrainingPlan, preparation: Preparation, output: Path, progress: bool
) -> list[HeldOut]:
    """Train a model without each fold, one after another, and score the windows of the fold.

    The models are not kept. Folds that an interrupted training with the same options has scored are
    not repeated.

    Args:
        plan: Configuration of the training.
        preparation: The prepared data.
        output: Folder for the state of training.
        progress: Whether to show a line for each fold.

    Raises:
        FieldError: If a training diverges.
        KeyboardInterrupt: If the user ends the training of a fold early.
    """
    path = output / STATE / FOLDS_FILE
    done = _read(path, preparation.spec)
    count = len(preparation.folds)
    for number in range(len(done), count):
        name = f"training without fold {number + 1} of {count}"
        try:
            done.append(_score_fold(plan, preparation, number, output, progress, name))
        finally:
            shutil.rmtree(output / STATE / FOLD, ignore_errors=True)
        _write(path, preparation.spec, done)
    return done


def _score_fold(
    plan: TrainingPlan,
    preparation: Preparation,
    number: int,
    output: Path,
    progress: bool,
    name: str,
) -> HeldOut:
    """Train a model without the fold with this number, and score the windows of the fold."""
    fold = preparation.folds[number]
    pl.seed_everything(plan.training.seed, workers=True, verbose=False)
    run = make_run(plan, fold, output, progress, name)
    initialize_from_pca(run.module.vae, fold.windows["training"])
    best = run.fit(fold, resume=False)
    if run.interrupt.interrupted:
        raise KeyboardInterrupt(f"interrupted in the {name}, which --resume begins again")
    run.require_convergence()
    return hold_out(best, fold.windows, preparation.spec.scaler, len(preparation.folds))


def _read(path: Path, spec: ModelSpec) -> list[HeldOut]:
    """What an earlier training with the same options has found; empty if there is none."""
    if not path.exists() or settings_of(read_spec(path)) != settings_of(spec):
        return []
    content = torch.load(path, map_location="cpu", weights_only=True)
    return [
        HeldOut(
            [Stretch(scores.numpy(), starts.numpy()) for scores, starts in fold["stretches"]],
            fold["residuals"].numpy(),
            fold["residual_scores"].numpy(),
        )
        for fold in content["folds"]
    ]


def _write(path: Path, spec: ModelSpec, done: Sequence[HeldOut]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    folds = [
        {
            "stretches": [
                (torch.from_numpy(one.scores), torch.from_numpy(one.starts))
                for one in fold.stretches
            ],
            "residuals": torch.from_numpy(fold.residuals),
            "residual_scores": torch.from_numpy(fold.residual_scores),
        }
        for fold in done
    ]
    # No epoch of the final training has ended.
    torch.save({CARD_KEY: spec.to_dict(), "epoch": -1, "folds": folds}, unfinished)
    unfinished.replace(path)
