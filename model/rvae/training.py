"""Training with Lightning: what a step does, and the way from a file to a checkpoint."""

import math
import shutil
import warnings
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from rvae.artifact import CARD_KEY, Artifact, Card, versions
from rvae.calibration import Calibration, require_enough
from rvae.callbacks import KeepWholeEpoch, Progress, StopOnInterrupt, StopWithoutProgress
from rvae.config import DataConfig, ModelConfig, ObjectiveConfig, TrainingConfig
from rvae.data.dataset import EpochShuffle, WindowDataset
from rvae.data.readers import Dataset
from rvae.data.scaler import Scaler
from rvae.data.windows import Parts, split
from rvae.engine import Engine
from rvae.errors import FieldError, require
from rvae.hiding import hide
from rvae.metrics import active_units, explained_variance
from rvae.objective import Terms, negative_elbo, warm_up_of_kl, weight_of_kl
from rvae.optimization import WARM_UP, optimizer, schedule
from rvae.vae import VAE

__all__ = ["Outcome", "TrainingModule", "fit"]

STATE = "state"
LOGS = "logs"
HIDE_WHERE_GAPS_ARE = 0.5


class TrainingModule(pl.LightningModule):
    """The objective's gradient steps on a VAE.

    Args:
        card: What the checkpoint says of the model.
        objective: The loss.
        training: Optimiser and schedule.
    """

    def __init__(self, card: Card, objective: ObjectiveConfig, training: TrainingConfig) -> None:
        super().__init__()
        self.card = card
        self.objective = objective
        self.training_config = training
        self.vae = VAE(card.model, len(card.channels), card.window)
        self.save_hyperparameters(
            {
                "model": asdict(card.model),
                "objective": asdict(objective),
                "training": asdict(training),
            }
        )
        self._validation: list[Terms] = []

    def training_step(self, windows: Tensor, batch_index: int) -> Tensor:
        if batch_index == 0:
            # What an epoch draws depends on seed and epoch alone, so that training can be resumed.
            seeds = np.random.SeedSequence([self.training_config.seed, self.current_epoch])
            torch.manual_seed(int(seeds.generate_state(1)[0]))
        mask = ~windows.isnan()
        seen = hide(mask, self.training_config.hide or 0.0)
        terms = negative_elbo(self.vae, windows, mask, self.objective.sampling_noise, seen)
        beta = weight_of_kl(
            self.objective, self.global_step / self.trainer.estimated_stepping_batches
        )
        loss = terms.loss(beta, self.objective.free_bits)
        self._log("train", terms, loss)
        self.log("train/beta", beta)
        return loss

    def on_validation_epoch_start(self) -> None:
        self._validation = []
        # The same noise at each epoch: a checkpoint must not win by a lucky draw.
        torch.manual_seed(self.training_config.seed)

    def validation_step(self, windows: Tensor, batch_index: int) -> None:
        self._validation.append(negative_elbo(self.vae, windows, ~windows.isnan()))

    def on_validation_epoch_end(self) -> None:
        terms = Terms(
            torch.cat([t.reconstruction for t in self._validation]),
            torch.cat([t.kl for t in self._validation]),
            torch.cat([t.latent for t in self._validation]),
        )
        # At the full weight throughout, so that epochs are comparable during the warm-up.
        self._log("validation", terms, terms.loss(self.objective.beta), prog_bar=True)
        self.log("validation/active_units", active_units(terms.latent.numpy(force=True)))

    def configure_optimizers(self) -> Any:
        made = optimizer(self.training_config, self.vae.parameters())
        rate = schedule(self.training_config, made, int(self.trainer.estimated_stepping_batches))
        return made if rate is None else {"optimizer": made, "lr_scheduler": rate}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[CARD_KEY] = self.card.to_dict()

    def _log(self, stage: str, terms: Terms, loss: Tensor, prog_bar: bool = False) -> None:
        self.log(f"{stage}/loss", loss, prog_bar=prog_bar, batch_size=len(terms.reconstruction))
        self.log_dict(
            {
                f"{stage}/reconstruction": terms.reconstruction.mean(),
                f"{stage}/kl": terms.kl.sum(1).mean(),
            },
            batch_size=len(terms.reconstruction),
        )


@dataclass(frozen=True)
class Outcome:
    """What `fit` leaves behind.

    Attributes:
        checkpoint: The file with everything.
        card: What it says of the model.
        interrupted: Whether the user ended training early.
        resumable: Whether there is a whole epoch to go on after.
    """

    checkpoint: Path
    card: Card
    interrupted: bool
    resumable: bool


def fit(
    dataset: Dataset,
    data: DataConfig,
    model: ModelConfig,
    objective: ObjectiveConfig,
    training: TrainingConfig,
    output: Path,
    progress: bool = True,
    resume: bool = False,
) -> Outcome:
    """Train, calibrate and write `output/model.ckpt`.

    Ctrl-C ends training early: what has been learnt is calibrated and saved all the same.

    Args:
        dataset: What `rvae.data.readers.read` made of the training file.
        data: How it is cut.
        model: The network.
        objective: The loss.
        training: How the parameters are found.
        output: Folder for the checkpoint, the logs and the state of training.
        progress: Whether to draw progress bars.
        resume: Whether to go on after the last whole epoch of an earlier call with this output.

    Raises:
        FieldError: If data or options do not fit together.
    """
    require(
        training.accelerator != "gpu" or torch.cuda.is_available(),
        "training.accelerator",
        'is "gpu", but PyTorch finds none',
    )
    window = _window(dataset, data)
    pl.seed_everything(training.seed, workers=True, verbose=False)
    parts = split(dataset.series, data, window, training.seed)
    scaler = Scaler.fit(parts.training, dataset.channels)
    windows = {
        part.name: WindowDataset(getattr(parts, part.name), scaler, window, data.stride)
        for part in fields(Parts)
    }
    if training.hide is None:
        gaps = any(np.isnan(s.values).any() for s in parts.training)
        training = replace(training, hide=HIDE_WHERE_GAPS_ARE if gaps else 0.0)
    require(
        training.batch_size > 1 or not (model.architecture == "dense" and model.dense.batch_norm),
        "training.batch_size",
        "must be at least 2 with model.dense.batch_norm",
    )
    require(len(windows["training"]) > 1, "data", "the training part holds one window only")
    require_enough(windows["calibration"].observed, training.quantile)
    card = Card(
        model=model,
        channels=dataset.channels,
        window=window,
        stride=data.stride,
        reader=dataset.source,
        scaler=scaler,
        training={
            "windows": {name: len(part) for name, part in windows.items()},
            "objective": asdict(objective),
            "options": asdict(training),
        },
        calibration=None,
        versions=versions() | {"pytorch-lightning": version("pytorch-lightning")},
    )
    state = output / STATE
    last = state / "last.ckpt"
    if resume:
        _require_same(last, card)
    else:
        for old in (state, output / LOGS):  # of another training, whose parts must not be mixed in
            shutil.rmtree(old, ignore_errors=True)
    best = KeepWholeEpoch(state, "best", "validation/loss")
    interrupt = StopOnInterrupt()
    trainer = pl.Trainer(
        accelerator=training.accelerator,
        devices=1,
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        deterministic="warn",
        logger=TensorBoardLogger(output, name="", version=LOGS, default_hp_metric=False),
        callbacks=[
            best,
            KeepWholeEpoch(state, "last"),
            StopWithoutProgress(
                training.patience, training.improvement, max(WARM_UP, warm_up_of_kl(objective))
            ),
            interrupt,
            *([Progress()] if progress else []),
        ],
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=min(10, math.ceil(len(windows["training"]) / training.batch_size)),
        num_sanity_val_steps=0,
    )
    module = TrainingModule(card, objective, training)
    with warnings.catch_warnings():
        # The windows lie in memory: worker processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* is not empty.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.* is deprecated.*")
        trainer.fit(
            module,
            DataLoader(
                windows["training"],
                training.batch_size,
                sampler=EpochShuffle(len(windows["training"]), training.seed),
                # A batch of one has no spread to normalise by, and its gradient is mostly noise.
                # Shuffling leaves out another window each time.
                drop_last=len(windows["training"]) % training.batch_size == 1,
            ),
            DataLoader(windows["validation"], training.batch_size),
            ckpt_path=last if resume else None,
            weights_only=True,
        )
    if best.best_model_score is not None and not best.best_model_score.isfinite():
        raise FieldError("training", "diverged: lower training.learning_rate, or look at the data")
    if not best.best_model_path:  # interrupted in the first epoch
        best.best_model_path = str(state / "best.ckpt")
        trainer.save_checkpoint(best.best_model_path)
    checkpoint = output / "model.ckpt"
    card = _calibrate(Path(best.best_model_path), checkpoint, parts, training.quantile)
    return Outcome(checkpoint, card, interrupt.interrupted, last.exists())


def _require_same(last: Path, card: Card) -> None:
    """Raise a `FieldError` unless the state of training is of this training, but for its length."""
    require(last.exists(), "resume", f"there is no {last}")
    before, now = _settings(Artifact.load(last).card), _settings(card)
    epochs = torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    require(
        now.pop("epochs") >= epochs, "training.epochs", f"{last} has gone through {epochs} already"
    )
    for name, value in now.items():
        require(before[name] == value, "resume", f"{last} is of another {name}")


def _settings(card: Card) -> dict[str, Any]:
    """All that a training was told, by name."""
    content = card.to_dict()
    del content["versions"]
    training = content.pop("training")
    options = training.pop("options")
    return content | training | options


def _window(dataset: Dataset, data: DataConfig) -> int:
    if data.window is not None:
        return data.window
    require(
        dataset.source.layout == "rows",
        "data.window",
        'is needed: only the layout "rows" says by itself how long a window is',
    )
    return len(dataset.series[0])


def _calibrate(best: Path, final: Path, parts: Parts, quantile: float) -> Card:
    """Turn the best checkpoint into one that knows what its scores mean."""
    engine = Engine.load(best)
    card = engine.card
    held_out = engine.analyse([s.values for s in parts.calibration])
    validating = [s.values for s in parts.validation]
    validation = engine.analyse(validating)
    checkpoint = torch.load(best, map_location="cpu", weights_only=True)
    card = replace(
        card,
        calibration=Calibration.fit(
            np.concatenate([a.score for a in held_out]),
            quantile,
            independent=sum(len(s) // card.window for s in parts.calibration),
        ),
        training={
            **card.training,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "epoch": checkpoint["epoch"],
            "explained_variance": explained_variance(
                engine.windows(validating, validation),
                np.concatenate([a.mean for a in validation]),
            ),
            "active_units": active_units(np.concatenate([a.latent for a in validation])),
        },
    )
    checkpoint[CARD_KEY] = card.to_dict()
    unfinished = final.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(final)  # A reader sees the old checkpoint or the new one, whole.
    return card
