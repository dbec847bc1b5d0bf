"""The Lightning trainer of a training, with its callbacks and data loaders."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from rvae.config import TrainingPlan
from rvae.data.window_dataset import WindowDataset
from rvae.errors import FieldError
from rvae.networks.objective import kl_warm_up
from rvae.networks.tensor_batch import TensorBatch
from rvae.training.callbacks import (
    EpochCheckpoint,
    HalveOnPlateau,
    StopOnInterrupt,
    StopWithoutProgress,
)
from rvae.training.distributed import distributed_strategy
from rvae.training.epoch_shuffle import EpochShuffle
from rvae.training.module import TrainingModule
from rvae.training.optimization import WARM_UP
from rvae.training.pictures import Pictures
from rvae.training.prepare import Preparation
from rvae.training.progress import OneLineProgress, progress_bar
from rvae.training.validation import take_snapshot

__all__ = ["FOLD", "LAST_CHECKPOINT", "LOGS", "PICTURES", "STATE", "TrainingRun", "make_run"]

# In the output folder.
STATE = "state"
LOGS = "logs"
PICTURES = "pictures"
LAST_CHECKPOINT = "last.ckpt"

# In the folder of the state, while a model without one of the folds is trained.
FOLD = "fold"

MAX_STEPS_PER_LOG = 10


@dataclass(frozen=True)
class TrainingRun:
    """A trainer, its module, and the callbacks with results.

    Attributes:
        trainer: Lightning's trainer.
        module: The network with its objective.
        best: Keeps the checkpoint with the lowest validation loss.
        interrupt: Knows whether the user ended training early.
        state: Folder of the checkpoints for resuming.
    """

    trainer: pl.Trainer
    module: TrainingModule
    best: EpochCheckpoint
    interrupt: StopOnInterrupt
    state: Path

    def fit(self, preparation: Preparation, resume: bool) -> Path:
        """Train, and return the best checkpoint, or the last state if no epoch was completed."""
        training, windows = preparation.training, preparation.windows
        rank, processes = self.trainer.global_rank, self.trainer.world_size
        order = EpochShuffle(len(windows["training"]), training.seed, rank, processes)
        validation = range(rank, len(windows["validation"]), processes)
        with _without_needless_warnings():
            self.trainer.fit(
                self.module,
                _loader(windows["training"], preparation, order, drop_last=preparation.drop_last),
                _loader(windows["validation"], preparation, validation, drop_last=False),
                ckpt_path=self.state / LAST_CHECKPOINT if resume else None,
                weights_only=True,
            )
        if not self.best.best_model_path:  # interrupted in the first epoch
            self.best.best_model_path = str(self.state / "best.ckpt")
            self.trainer.save_checkpoint(self.best.best_model_path)
        return Path(self.best.best_model_path)

    def require_convergence(self) -> None:
        """Raise a `FieldError` if the validation loss is not a number."""
        score = self.best.best_model_score
        if score is not None and not score.isfinite():
            raise FieldError(
                "training", "diverged: lower training.learning_rate, or check the data"
            )


def make_run(
    plan: TrainingPlan,
    preparation: Preparation,
    output: Path,
    progress: bool,
    fold: str | None = None,
) -> TrainingRun:
    """Make the trainer of a training.

    Args:
        plan: Configuration of the training.
        preparation: The prepared data.
        output: Folder for the logs and the state of training.
        progress: Whether to show progress bars.
        fold: What a training without one of the folds is called. It leaves nothing but its best
            checkpoint, cannot be resumed, and shows one line.
    """
    training = preparation.training
    state = output / STATE if fold is None else output / STATE / FOLD
    module = TrainingModule(preparation.spec, plan.objective, training)
    best = EpochCheckpoint(state, "best", "validation/loss")
    interrupt = StopOnInterrupt()
    callbacks: list[pl.Callback] = [
        best,
        StopWithoutProgress(
            training.patience, training.improvement, max(WARM_UP, kl_warm_up(plan.objective))
        ),
        interrupt,
    ]
    if training.schedule == "plateau":
        callbacks.append(HalveOnPlateau(training.improvement))
    if fold is None:
        callbacks.append(EpochCheckpoint(state, Path(LAST_CHECKPOINT).stem))
    if training.pictures and fold is None:
        callbacks.append(
            Pictures(
                output / PICTURES,
                training.pictures,
                lambda: take_snapshot(
                    module.vae, preparation.spec, preparation.windows["validation"]
                ),
            )
        )
    if progress:
        callbacks.append(progress_bar() if fold is None else OneLineProgress(fold))
    trainer = pl.Trainer(
        accelerator=training.accelerator,
        devices=training.devices,
        num_nodes=training.nodes,
        strategy=distributed_strategy(training.processes),
        use_distributed_sampler=False,
        precision=training.precision,
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        deterministic="warn",
        logger=(
            TensorBoardLogger(output, name="", version=LOGS, default_hp_metric=False)
            if fold is None
            else False
        ),
        callbacks=callbacks,
        enable_progress_bar=any(isinstance(c, ProgressBar) for c in callbacks),
        enable_model_summary=False,
        log_every_n_steps=min(MAX_STEPS_PER_LOG, preparation.steps),
        num_sanity_val_steps=0,
    )
    return TrainingRun(trainer, module, best, interrupt, state)


def _loader(
    windows: WindowDataset, preparation: Preparation, order: Any, drop_last: bool
) -> DataLoader[TensorBatch]:
    training = preparation.training
    return DataLoader(
        cast("Dataset[Any]", windows),  # a loader asks for its methods only
        training.batch_size,
        sampler=order,
        drop_last=drop_last,
        # The dataset returns whole batches.
        collate_fn=cast("Callable[[Any], TensorBatch]", TensorBatch.of),
        num_workers=training.workers,
        persistent_workers=training.workers > 0,
        # Data on disk is read through a descriptor that only forked processes inherit.
        multiprocessing_context="fork" if training.workers else None,
    )


@contextmanager
def _without_needless_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # Worker processes would only copy windows that are in memory.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* is not empty.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.* is deprecated.*")
        yield
