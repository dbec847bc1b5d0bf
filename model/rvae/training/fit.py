"""Training, from series to a calibrated checkpoint."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytorch_lightning as pl

from rvae.config import TrainingPlan
from rvae.data.series import Dataset
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.compute import keep_freed_memory, limited_threads
from rvae.training.calibration import calibrate
from rvae.training.cross_fitting import FOLDS_FILE, cross_fit
from rvae.training.distributed import end_others_on_failure, with_launched_processes
from rvae.training.pca_init import initialize_from_pca
from rvae.training.prepare import prepare
from rvae.training.resume import require_same_training
from rvae.training.settings import restored_settings
from rvae.training.trainer import LAST_CHECKPOINT, LOGS, PICTURES, STATE, make_run

__all__ = ["FitResult", "fit"]


@dataclass(frozen=True)
class FitResult:
    """Result of `fit`.

    Attributes:
        checkpoint: The checkpoint file.
        card: Card of the model.
        interrupted: Whether the user ended training early.
        resumable: Whether training can be resumed after a whole epoch.
        is_leader: Whether this is the first process, the one that reports.
    """

    checkpoint: Path
    card: Card
    interrupted: bool
    resumable: bool
    is_leader: bool


def fit(
    dataset: Dataset,
    plan: TrainingPlan,
    output: Path,
    progress: bool = True,
    resume: bool = False,
) -> FitResult:
    """Train, calibrate and write `output/model.ckpt`.

    Ctrl-C ends training early: the current state is calibrated and saved. Generators of random
    numbers and other settings of the process are left as they were.

    For each further device Lightning starts the calling program once more, unless torchrun has done
    so. Every process reads the data and calls this function. Processes on several machines need a
    shared output folder.

    Args:
        dataset: Training data, as read by `rvae.data.readers.read`.
        plan: Configuration of the training.
        output: Folder for the checkpoint, the logs and the state of training.
        progress: Whether to show progress bars.
        resume: Whether to resume after the last whole epoch of an earlier call with this output.

    Raises:
        FieldError: If the data or the options are not valid.
    """
    keep_freed_memory()
    with restored_settings(), limited_threads(plan.training.devices):
        return _fit(dataset, plan, output.expanduser(), progress, resume)


def _fit(
    dataset: Dataset, plan: TrainingPlan, output: Path, progress: bool, resume: bool
) -> FitResult:
    plan = replace(plan, training=with_launched_processes(plan.training))
    pl.seed_everything(plan.training.seed, workers=True, verbose=False)
    preparation = prepare(dataset, plan)
    last, checkpoint = output / STATE / LAST_CHECKPOINT, output / "model.ckpt"
    held_out = []
    if resume:
        # Before the first epoch of the final model there are only results of folds.
        folds = output / STATE / FOLDS_FILE
        state = folds if folds.exists() and not last.exists() else last
        require_same_training(state, preparation.spec)
        resume = last.exists()
    elif preparation.folds:
        _clear(output)
    if preparation.folds:
        held_out = cross_fit(plan, preparation, output, progress)
        pl.seed_everything(plan.training.seed, workers=True, verbose=False)
    run = make_run(plan, preparation, output, progress)
    if run.trainer.is_global_zero and not resume and not preparation.folds:
        _clear(output)
    initialize_from_pca(run.module.vae, preparation.windows["training"])
    with end_others_on_failure(run.trainer):
        best = run.fit(preparation, resume)
        if run.trainer.is_global_zero:
            run.require_convergence()
            calibrate(best, checkpoint, preparation.windows, preparation.training, held_out)
        run.trainer.strategy.barrier()
    return FitResult(
        checkpoint,
        Artifact.load(checkpoint).card,
        run.interrupt.interrupted,
        last.exists(),
        run.trainer.is_global_zero,
    )


def _clear(output: Path) -> None:
    """Remove the files of an earlier training."""
    for name in (STATE, LOGS, PICTURES):
        shutil.rmtree(output / name, ignore_errors=True)
