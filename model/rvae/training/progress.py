"""Progress bars of a training, in a terminal and in a notebook."""

import sys
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from rich import get_console
from tqdm import tqdm

__all__ = ["OneLineProgress", "TerminalProgress", "progress_bar"]


class TerminalProgress(RichProgressBar):
    """Lightning's progress bar without the version number of the logs."""

    def get_metrics(
        self, trainer: pl.Trainer, module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        metrics = super().get_metrics(trainer, module)
        return {name: value for name, value in metrics.items() if name != "v_num"}


class OneLineProgress(pl.Callback):
    """One line for all epochs, which needs no widgets and leaves little in a saved notebook.

    Args:
        description: What the line begins with.
    """

    def __init__(self, description: str = "training") -> None:
        self._description = description
        self._bar: tqdm[Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._bar = tqdm(
            total=trainer.max_epochs,
            initial=trainer.current_epoch,
            desc=self._description,
            unit=" epochs",
            file=sys.stdout,
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._bar is not None:
            loss = trainer.callback_metrics["validation/loss"]
            self._bar.set_postfix({"validation loss": f"{float(loss):.4g}"}, refresh=False)
            self._bar.update()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()


def progress_bar() -> pl.Callback:
    """The progress bar that fits where the program runs."""
    return OneLineProgress() if get_console().is_jupyter else TerminalProgress()
