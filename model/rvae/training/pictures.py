"""Pictures of the training after epochs, and an animation of all of them."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger

from rvae.plots.learning import LearningSnapshot, plot_learning
from rvae.plots.losses import EpochLosses
from rvae.training.callbacks import is_whole_epoch

__all__ = ["LearningSnapshot", "Pictures"]

MAX_FRAMES = 100
# Milliseconds.
WHOLE_ANIMATION = 12_000
MIN_FRAME = 80
MAX_FRAME = 500
LAST_FRAME = 3000


class Pictures(pl.Callback):
    """Draws the state of the network after each n-th epoch and after the last, and animates it.

    An interrupted epoch is not drawn: it is repeated when training is resumed.

    Args:
        folder: Folder of `epoch-0001.png` and so on, and `learning.gif` at the end.
        every: Epochs between two pictures.
        take_snapshot: Returns reconstructions of held-out windows. It is called while the network
            is in training mode and must leave it so.
    """

    def __init__(
        self, folder: Path, every: int, take_snapshot: Callable[[], LearningSnapshot]
    ) -> None:
        self._folder = folder
        self._every = every
        self._take_snapshot = take_snapshot
        self._history: list[EpochLosses] = []
        self._failed = False

    def state_dict(self) -> dict[str, Any]:
        return {"history": [asdict(losses) for losses in self._history]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._history = [EpochLosses(**losses) for losses in state_dict["history"]]

    # After validation, and before checkpoints are saved, which must contain the history.
    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if not is_whole_epoch(trainer):
            return
        losses = _losses(trainer)
        self._history.append(losses)
        last = trainer.should_stop or losses.epoch == trainer.max_epochs
        if trainer.is_global_zero and (last or losses.epoch % self._every == 0):
            self._draw(trainer)

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._animate(trainer)

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._animate(trainer)

    def _draw(self, trainer: pl.Trainer) -> None:
        snapshot = self._take_snapshot()
        with self._going_on_without_a_disk():
            picture = BytesIO()
            plot_learning(self._history, snapshot).savefig(picture, format="png")
            if isinstance(trainer.logger, TensorBoardLogger):
                # Its add_figure would draw everything again.
                pixels = np.asarray(Image.open(picture).convert("RGB"))
                trainer.logger.experiment.add_image(
                    "learning", pixels, trainer.global_step, dataformats="HWC"
                )
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(self._history[-1].epoch)
            _replace(path, lambda part: part.write_bytes(picture.getvalue()))

    def _animate(self, trainer: pl.Trainer) -> None:
        if not trainer.is_global_zero:
            return
        with self._going_on_without_a_disk():
            # Not all files of the folder: it may hold later epochs of an earlier training.
            paths = (self._path(losses.epoch) for losses in self._history)
            pictures = [path for path in paths if path.exists()]
            if pictures:
                path = self._folder / "learning.gif"
                _replace(path, lambda part: _save_animation(pictures, part))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch:04}.png"

    @contextmanager
    def _going_on_without_a_disk(self) -> Iterator[None]:
        """Warn of a full disk: a missing picture must not end a training."""
        try:
            yield
        except OSError as error:
            if not self._failed:
                warnings.warn(f"training goes on without pictures: {error}", stacklevel=2)
            self._failed = True


def _losses(trainer: pl.Trainer) -> EpochLosses:
    metrics = trainer.callback_metrics
    training = "train/loss_epoch" if "train/loss_epoch" in metrics else "train/loss"
    return EpochLosses(
        trainer.current_epoch + 1,
        *(
            float(metrics[name])
            for name in (training, "validation/loss", "validation/reconstruction", "validation/kl")
        ),
    )


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically."""
    unfinished = path.with_suffix(".unfinished")
    write(unfinished)
    unfinished.replace(path)


def _save_animation(pictures: list[Path], path: Path) -> None:
    """Write pictures of the same size as a GIF, evenly chosen if there are many."""
    count = min(len(pictures), MAX_FRAMES)
    chosen = [pictures[i] for i in np.linspace(0, len(pictures) - 1, count).round().astype(int)]
    # One palette for all pictures, or colours would flicker; Pillow's default method turns white
    # into grey and merges the colours of classes.
    palette = Image.open(chosen[-1]).convert("RGB").quantize(method=Image.Quantize.FASTOCTREE)
    frames = (
        Image.open(picture).convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        for picture in chosen
    )
    duration = int(np.clip(WHOLE_ANIMATION / count, MIN_FRAME, MAX_FRAME))
    next(frames).save(
        path,
        "GIF",
        save_all=True,
        append_images=frames,
        duration=[duration] * (count - 1) + [LAST_FRAME],
        loop=0,
    )
