import logging
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rvae.training.settings import ONE_AT_A_TIME, restored_settings


def settings() -> dict[str, Any]:
    """What a training changes in the process."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "torch": torch.get_rng_state().tolist(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "environment": dict(os.environ),
        "logging": logging.getLogger("pytorch_lightning").level,
    }


def change_settings() -> None:
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    torch.use_deterministic_algorithms(True, warn_only=True)
    os.environ["PL_GLOBAL_SEED"] = "3"
    os.environ["PL_SEED_WORKERS"] = "1"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"


def change_settings_and_fail() -> None:
    change_settings()
    raise RuntimeError


@pytest.mark.parametrize("training", [change_settings, change_settings_and_fail])
def test_settings_are_afterwards_what_they_were(
    training: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PL_SEED_WORKERS", "0")
    before = settings()
    try:
        with restored_settings():
            assert logging.getLogger("pytorch_lightning").level == logging.WARNING
            training()
            during = settings()
    except RuntimeError:
        pass
    else:
        assert all(during[name] != before[name] for name in before)
    assert settings() == before


def test_one_thread_trains_at_a_time() -> None:
    with restored_settings():
        assert ONE_AT_A_TIME.locked()
    assert not ONE_AT_A_TIME.locked()
