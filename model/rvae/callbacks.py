"""When training ends before its last epoch."""

import signal
import threading
from types import FrameType

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping

__all__ = ["StopOnInterrupt", "StopWithoutProgress"]


class StopWithoutProgress(EarlyStopping):
    """Early stopping that does not lose patience before learning is under way.

    Until learning rate and KL have their full weight the validation loss may stand still or rise.

    Args:
        patience: Epochs without a better validation loss.
        warm_up: Share of the training steps that do not count.
    """

    def __init__(self, patience: int, warm_up: float) -> None:
        super().__init__("validation/loss", patience=patience, check_on_train_epoch_end=False)
        self._warm_up = warm_up

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.global_step > self._warm_up * trainer.estimated_stepping_batches:
            super().on_validation_end(trainer, module)


class StopOnInterrupt(pl.Callback):
    """Ctrl-C ends training after the batch at hand; a second one breaks off at once."""

    def __init__(self) -> None:
        self.interrupted = False

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Only the main thread may say what a signal does.
        previous = signal.getsignal(signal.SIGINT)

        def stop(signum: int, frame: FrameType | None) -> None:
            self.interrupted = True
            trainer.should_stop = True
            signal.signal(signal.SIGINT, previous)

        self._previous = previous
        signal.signal(signal.SIGINT, stop)

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if hasattr(self, "_previous"):
            signal.signal(signal.SIGINT, self._previous)
