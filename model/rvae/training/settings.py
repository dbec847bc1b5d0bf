"""Settings of the process that a training changes."""

import logging
import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

__all__ = ["restored_settings"]

# Variables of the environment that Lightning sets.
VARIABLES = ("CUBLAS_WORKSPACE_CONFIG", "PL_GLOBAL_SEED", "PL_SEED_WORKERS")
CHATTY_LOGGERS = ("pytorch_lightning", "lightning_fabric")

# All threads share these settings.
ONE_AT_A_TIME = threading.Lock()


@contextmanager
def restored_settings() -> Iterator[None]:
    """Restore generators of random numbers and other settings afterwards, also after an error.

    Meanwhile Lightning logs nothing but warnings. Only one thread at a time may train.
    """
    with ONE_AT_A_TIME, ExitStack() as stack:
        gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
        stack.enter_context(torch.random.fork_rng(gpus))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(
            torch.use_deterministic_algorithms,
            torch.are_deterministic_algorithms_enabled(),
            warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        for name in VARIABLES:
            stack.callback(_set_variable, name, os.environ.get(name))
        for name in CHATTY_LOGGERS:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.WARNING)
        yield


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
