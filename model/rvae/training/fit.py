"""Training: the way from series to a checkpoint."""

import math
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only
from torch.utils.data import DataLoader

from rvae.config import DataConfig, ModelConfig, ObjectiveConfig, ScoringConfig, TrainingConfig
from rvae.data.categories import restrict_to_training
from rvae.data.default_window import default_window
from rvae.data.scaler import Scaler, summarise
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.data.window_dataset import Batch, EpochShuffle, WindowDataset
from rvae.data.windows import Parts, split
from rvae.errors import FieldError, require
from rvae.inference.artifact import Artifact, network_of, software_versions
from rvae.inference.card import Card, ModelSpec
from rvae.networks.objective import kl_warm_up
from rvae.scoring.calibration import require_enough, windows_needed
from rvae.training.calibration import finish
from rvae.training.callbacks import (
    HalveOnPlateau,
    KeepWholeEpoch,
    Progress,
    StopOnInterrupt,
    StopWithoutProgress,
)
from rvae.training.distributed import joined, strategy
from rvae.training.module import TrainingModule
from rvae.training.optimization import WARM_UP
from rvae.training.outliers import drop_outliers
from rvae.training.pca_init import initialize_from_pca
from rvae.training.pictures import Pictures
from rvae.training.preflight import require_known, require_machine, require_units
from rvae.training.resume import require_same_training
from rvae.training.validation import look

__all__ = ["Outcome", "fit"]

STATE = "state"
LOGS = "logs"
PICTURES = "pictures"
HIDE_WHERE_GAPS_ARE = 0.5


@dataclass(frozen=True)
class Outcome:
    """What `fit` leaves behind.

    Attributes:
        checkpoint: The file with everything.
        card: What it says of the model.
        interrupted: Whether the user ended training early.
        resumable: Whether there is a whole epoch to go on after.
        leading: Whether this process is the one that speaks for those that trained together.
    """

    checkpoint: Path
    card: Card
    interrupted: bool
    resumable: bool
    leading: bool


def fit(
    dataset: Dataset,
    data: DataConfig,
    model: ModelConfig,
    objective: ObjectiveConfig,
    scoring: ScoringConfig,
    training: TrainingConfig,
    output: Path,
    progress: bool = True,
    resume: bool = False,
) -> Outcome:
    """Train, calibrate and write `output/model.ckpt`.

    Ctrl-C ends training early: what has been learnt is calibrated and saved all the same.

    For each further device the program that calls this is started once more. It reads the data for
    itself and comes here, too.

    Args:
        dataset: What `rvae.data.readers.read` made of the training data.
        data: How it is cut.
        model: The network.
        objective: The loss.
        scoring: What a score is.
        training: How the parameters are found.
        output: Folder for the checkpoint, the logs and the state of training.
        progress: Whether to draw progress bars.
        resume: Whether to go on after the last whole epoch of an earlier call with this output.

    Raises:
        FieldError: If data or options do not fit together.
    """
    require_machine(training)
    require_known(dataset, model, scoring)
    require_units(dataset, data)
    pl.seed_everything(training.seed, workers=True, verbose=False)
    card, training, parts = _prepare(dataset, data, model, scoring, training)
    windows = {
        part.name: WindowDataset(
            getattr(parts, part.name), card.scaler, card.window, card.stride, model.time.calendar
        )
        for part in fields(Parts)
    }
    if scoring.contamination:
        windows["training"] = drop_outliers(
            windows["training"], network_of(card), scoring.contamination
        )
    steps, rest = _steps(windows, training)
    needed = windows_needed(training.quantile)
    require_enough(windows["calibration"].holds(needed), training.quantile)
    card = replace(
        card,
        training={
            "windows": {name: len(part) for name, part in windows.items()},
            "objective": asdict(objective),
            "options": asdict(training),
        },
    )
    state = output / STATE
    last = state / "last.ckpt"
    if resume:
        require_same_training(last, card)
    else:
        _clear(output)
    module = TrainingModule(card, objective, training)
    initialize_from_pca(module.vae, windows["training"])
    best = KeepWholeEpoch(state, "best", "validation/loss")
    interrupt = StopOnInterrupt()
    callbacks: list[pl.Callback] = [
        best,
        KeepWholeEpoch(state, "last"),
        StopWithoutProgress(
            training.patience, training.improvement, max(WARM_UP, kl_warm_up(objective))
        ),
        interrupt,
    ]
    if training.schedule == "plateau":
        callbacks.append(HalveOnPlateau(training.improvement))
    if training.pictures:
        callbacks.append(
            Pictures(
                output / PICTURES,
                training.pictures,
                lambda: look(module.vae, card, windows["validation"]),
            )
        )
    if progress:
        callbacks.append(Progress())
    trainer = pl.Trainer(
        accelerator=training.accelerator,
        devices=training.devices,
        strategy=strategy(training.devices),
        use_distributed_sampler=False,
        precision=training.precision,
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        deterministic="warn",
        logger=TensorBoardLogger(output, name="", version=LOGS, default_hp_metric=False),
        callbacks=callbacks,
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=min(10, steps),
        num_sanity_val_steps=0,
    )
    rank, processes = trainer.global_rank, trainer.world_size
    order = EpochShuffle(len(windows["training"]), training.seed, rank, processes)
    checkpoint = output / "model.ckpt"
    with joined(training.devices), warnings.catch_warnings():
        # Loading windows that lie in memory in other processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* is not empty.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.* is deprecated.*")
        trainer.fit(
            module,
            # A batch of one has no spread to normalise by, and its gradient is mostly noise.
            # Shuffling leaves out another window each time.
            _loader(windows["training"], training, order, drop_last=rest == 1),
            _loader(
                windows["validation"],
                training,
                range(rank, len(windows["validation"]), processes),
                drop_last=False,
            ),
            ckpt_path=last if resume else None,
            weights_only=True,
        )
        if not best.best_model_path:  # interrupted in the first epoch
            best.best_model_path = str(state / "best.ckpt")
            trainer.save_checkpoint(best.best_model_path)
        if trainer.is_global_zero:
            _require_convergence(best)
            finish(Path(best.best_model_path), checkpoint, windows, training.quantile)
        trainer.strategy.barrier()
    return Outcome(
        checkpoint,
        Artifact.load(checkpoint).card,
        interrupt.interrupted,
        last.exists(),
        trainer.is_global_zero,
    )


@rank_zero_only
def _clear(output: Path) -> None:
    """Remove what is left of another training, which must not be mixed in."""
    for name in (STATE, LOGS, PICTURES):
        shutil.rmtree(output / name, ignore_errors=True)


def _prepare(
    dataset: Dataset,
    data: DataConfig,
    model: ModelConfig,
    scoring: ScoringConfig,
    training: TrainingConfig,
) -> tuple[ModelSpec, TrainingConfig, Parts]:
    """Split the data, and learn from its training part what has to be known before a network."""
    window = data.window or default_window(dataset)
    parts = split(dataset.series, data, window, training.seed)
    vocabulary, renumber = restrict_to_training(
        parts.training, dataset.channels, dataset.vocabulary
    )
    parts = Parts(*(renumber(getattr(parts, part.name)) for part in fields(Parts)))
    summary = summarise(parts.training)
    scaler = Scaler.fit(
        summary,
        dataset.channels,
        vocabulary.sizes(dataset.channels),
        unit_interval=model.likelihood == "bernoulli",
        keep_constant=data.constant == "keep",
    )
    if training.hide is None:
        training = replace(training, hide=HIDE_WHERE_GAPS_ARE if summary.gaps else 0.0)
    require(
        training.batch_size > 1 or not (model.architecture == "dense" and model.dense.batch_norm),
        "training.batch_size",
        "must be at least 2 with model.dense.batch_norm",
    )
    card = ModelSpec(
        model=model,
        channels=dataset.channels,
        units=data.units or {},
        vocabulary=vocabulary,
        window=window,
        stride=data.stride,
        reader=dataset.source,
        scaler=scaler,
        interval=_interval(parts.training[0]),
        training={},
        scoring=scoring,
        versions=software_versions() | {"pytorch-lightning": version("pytorch-lightning")},
    )
    if model.conditional:
        _require_classes(parts.training, vocabulary)
    # Of the training part the scaler has seen all; what is wrong with the others must not wait.
    for s in (*parts.validation, *parts.calibration):
        card.require_in_bounds(s)
    return card, training, parts


def _steps(windows: Mapping[str, WindowDataset], training: TrainingConfig) -> tuple[int, int]:
    """How many steps an epoch has, and how many windows are left after those with full batches.

    Raises:
        FieldError: If there are not enough windows for each of the processes that train together.
    """
    share = math.ceil(len(windows["training"]) / training.devices)
    for part, enough in (
        ("training", share > 1),
        ("validation", len(windows["validation"]) >= training.devices),
    ):
        who = f" for {training.devices} processes" if training.devices > 1 else ""
        require(enough, "data", f"the {part} part has too few windows{who}: {len(windows[part])}")
    full, rest = divmod(share, training.batch_size)
    return full + (rest > 1), rest


def _require_convergence(best: KeepWholeEpoch) -> None:
    score = best.best_model_score
    if score is not None and not score.isfinite():
        raise FieldError("training", "diverged: lower training.learning_rate, or look at the data")


def _loader(
    windows: WindowDataset, training: TrainingConfig, order: Any, drop_last: bool
) -> DataLoader[Batch]:
    return DataLoader(
        windows,
        training.batch_size,
        sampler=order,
        drop_last=drop_last,
        # Windows are put together as they are cut.
        collate_fn=lambda batch: batch,
        num_workers=training.workers,
        persistent_workers=training.workers > 0,
        # What lies on disk is read through a descriptor that only a fork inherits.
        multiprocessing_context="fork" if training.workers else None,
    )


def _require_classes(training: Sequence[Series], vocabulary: Vocabulary) -> None:
    """Raise a `FieldError` where a class would be asked for that nothing is learnt of."""
    seen = {kind for s in training for piece in s.pieces() for kind in np.unique(piece.kinds)}
    for index, name in enumerate(vocabulary.classes):
        require(index in seen, "reader.classes", f"{name} is nowhere in the training part")


def _interval(series: Series) -> float | None:
    """Median of the seconds between the first steps of a series, if it has times."""
    if series.times is None:
        return None
    times = next(series.pieces()).clock()
    return float(np.median(np.diff(times)) / np.timedelta64(1, "s"))
