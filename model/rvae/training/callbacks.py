"""Callbacks of the trainer: early stopping, learning rate, checkpoints and interrupts."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.optim.lr_scheduler import ReduceLROnPlateau

__all__ = [
    "EpochCheckpoint",
    "HalveOnPlateau",
    "StopOnInterrupt",
    "StopWithoutProgress",
    "is_whole_epoch",
]

PLATEAU_EPOCHS = 5


def is_whole_epoch(trainer: pl.Trainer) -> bool:
    """Whether the epoch was completed, not interrupted."""
    return trainer.fit_loop.epoch_loop.batch_progress.is_last_batch


class StopWithoutProgress(EarlyStopping):
    """Early stopping that does not count epochs of the warm-up.

    Until learning rate and KL have their full weight, the validation loss may stagnate or rise.

    Args:
        patience: Epochs without a better validation loss.
        improvement: Minimum decrease of the loss that counts as better.
        warm_up: Share of the training steps that do not count.
    """

    def __init__(self, patience: int, improvement: float, warm_up: float) -> None:
        super().__init__("validation/loss", improvement, patience, check_on_train_epoch_end=False)
        self._warm_up = warm_up

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.global_step > self._warm_up * trainer.estimated_stepping_batches:
            super().on_validation_end(trainer, module)


class HalveOnPlateau(pl.Callback):
    """Halves the learning rate after epochs without a better validation loss.

    Lightning would step such a schedule after saving the epoch's checkpoint, and lose the step
    when training is resumed.

    Args:
        improvement: Minimum decrease of the loss that counts as better.
    """

    def __init__(self, improvement: float) -> None:
        self._improvement = improvement
        self._restored: dict[str, Any] = {}

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._rate = ReduceLROnPlateau(
            trainer.optimizers[0],
            factor=0.5,
            patience=PLATEAU_EPOCHS - 1,  # PyTorch acts one epoch later
            threshold=self._improvement,
            threshold_mode="abs",
        )
        self._rate.load_state_dict(self._restored)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._rate.step(float(trainer.callback_metrics["validation/loss"]))

    def state_dict(self) -> dict[str, Any]:
        return self._rate.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = state_dict


class EpochCheckpoint(ModelCheckpoint):
    """A checkpoint of the last whole epoch, or of the one with the lowest monitored value.

    Args:
        folder: Folder of the checkpoint.
        name: File name without suffix.
        monitor: Name of the monitored value; None keeps the last epoch.
    """

    def __init__(self, folder: Path, name: str, monitor: str | None = None) -> None:
        super().__init__(
            folder, name, monitor, enable_version_counter=False, save_on_train_epoch_end=True
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Ignore the folder that Lightning stored: it may have been moved."""
        here = Path(str(self.dirpath))

        def moved(path: str) -> str:
            return str(here / Path(path).name) if path else path

        super().load_state_dict(
            state_dict
            | {
                "dirpath": str(here),
                "best_k_models": {moved(k): v for k, v in state_dict["best_k_models"].items()},
                **{
                    name: moved(state_dict[name])
                    for name in ("best_model_path", "kth_best_model_path", "last_model_path")
                },
            }
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # Training cannot be resumed in the middle of an epoch.
        if is_whole_epoch(trainer):
            super().on_train_epoch_end(trainer, module)


class StopOnInterrupt(pl.Callback):
    """Ctrl-C ends training after the current batch; a second one ends it at once.

    In distributed training all processes stop after the same batch.
    """

    def __init__(self) -> None:
        self.interrupted = False

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Only the main thread may set signal handlers.
        previous = signal.getsignal(signal.SIGINT)

        def stop(signum: int, frame: FrameType | None) -> None:
            self.interrupted = True
            signal.signal(signal.SIGINT, previous)

        self._previous = previous
        signal.signal(signal.SIGINT, stop)

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.world_size > 1 and threading.current_thread() is threading.main_thread():
            # On SIGTERM, Lightning would communicate with processes that wait for something else.
            # They end with the leader, and the leader with them.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.strategy.reduce_boolean_decision(self.interrupted, all=False):
            self.interrupted = trainer.should_stop = True

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if hasattr(self, "_previous"):
            signal.signal(signal.SIGINT, self._previous)
