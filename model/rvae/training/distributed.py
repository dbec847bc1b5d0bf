"""Distributed training, with processes started by Lightning or by torchrun."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytorch_lightning as pl
from pytorch_lightning.strategies import DDPStrategy, Strategy
from torch.distributed import is_torchelastic_launched

from rvae.config import TrainingConfig
from rvae.errors import FieldError, require

__all__ = ["distributed_strategy", "end_others_on_failure", "with_launched_processes"]

# The others wait while the leader calibrates.
MAX_WAIT = timedelta(days=1)

# Logs at level INFO which process failed, before it ends the others.
LAUNCHER_LOGGER = "lightning_fabric.strategies.launchers.subprocess_script"


def with_launched_processes(training: TrainingConfig) -> TrainingConfig:
    """The options, with the numbers of devices and nodes that torchrun has started, if any.

    Raises:
        FieldError: If the options ask for other numbers.
    """
    if not is_torchelastic_launched():
        return training
    processes, devices = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    nodes = processes // devices
    for name, started, per in (
        ("devices", devices, "processes per node"),
        ("nodes", nodes, "nodes"),
    ):
        asked = getattr(training, name)
        require(
            training.processes == 1 or asked == started,
            f"training.{name}",
            f"is {asked}, but torchrun started {started} {per}",
        )
    return replace(training, devices=devices, nodes=nodes)


def distributed_strategy(processes: int) -> Strategy | str:
    """Lightning's strategy for a number of processes."""
    if processes == 1:
        return "auto"
    logging.getLogger(LAUNCHER_LOGGER).setLevel(logging.INFO)
    return DDPStrategy(timeout=MAX_WAIT)


@contextmanager
def end_others_on_failure(trainer: pl.Trainer) -> Iterator[None]:
    """End the processes that Lightning started here if this one fails.

    Raises:
        FieldError: If the connection to another process is lost, which has printed the reason.
    """
    try:
        yield
    except BaseException as error:
        if trainer.strategy.launcher is not None:
            trainer.strategy.launcher.kill(signal.SIGKILL)
        if trainer.world_size > 1 and isinstance(error, RuntimeError):
            reason = str(error).strip().splitlines()
            raise FieldError(
                "training.devices",
                f"a process failed, or its connection is lost: {reason[0] if reason else ''}",
            ) from error
        raise
