"""Training that leaves nothing behind but its result: no files, no output, no changed settings."""

import logging
import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from rvae.config import TrainingPlan
from rvae.data.series import Dataset
from rvae.inference.compute import compute_threads
from rvae.training.fit import fit

__all__ = ["Trained", "train_in_memory"]

# Variables of the environment that Lightning sets.
VARIABLES = ("CUBLAS_WORKSPACE_CONFIG", "PL_GLOBAL_SEED", "PL_SEED_WORKERS")
CHATTY_LOGGERS = ("pytorch_lightning", "lightning_fabric")

# The settings of a process that a training changes are shared by its threads.
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Trained:
    """Result of a training in memory.

    Attributes:
        checkpoint: Content of the checkpoint file.
        interrupted: Whether the user ended training early.
    """

    checkpoint: bytes
    interrupted: bool


def train_in_memory(dataset: Dataset, plan: TrainingPlan, progress: bool = False) -> Trained:
    """Train and calibrate a model, see `rvae.training.fit.fit`.

    Random states, threads and other settings of the process are afterwards what they were.

    Args:
        dataset: Training data.
        plan: Configuration of the training.
        progress: Whether to show progress bars.

    Raises:
        FieldError: If the data or the options are not valid.
    """
    with ONE_AT_A_TIME, _unchanged_settings(), TemporaryDirectory(prefix="rvae-") as folder:
        if threads := compute_threads():
            torch.set_num_threads(threads)
        for name in CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        result = fit(dataset, plan, Path(folder), progress)
        return Trained(result.checkpoint.read_bytes(), result.interrupted)


@contextmanager
def _unchanged_settings() -> Iterator[None]:
    """Restore the settings of the process that training changes."""
    with ExitStack() as stack:
        gpus = range(torch.cuda.device_count())
        stack.enter_context(torch.random.fork_rng(gpus))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.callback(
            torch.use_deterministic_algorithms,
            torch.are_deterministic_algorithms_enabled(),
            warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        for name in CHATTY_LOGGERS:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
        for name in VARIABLES:
            stack.callback(_set_variable, name, os.environ.get(name))
        yield


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
