"""A machine's frame, and a model that was trained on it in one call."""

import numpy as np
import pandas as pd
import pytest

import rvae

STEPS = 600


@pytest.fixture(scope="session")
def machine() -> pd.DataFrame:
    """Two channels and labels, with an index of times."""
    steps = np.arange(STEPS)
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "heat": 60 + 5 * np.sin(steps / 5) + random.normal(0, 0.3, STEPS),
            "speed": 3 * np.cos(steps / 5) + random.normal(0, 0.3, STEPS),
            "anomaly": np.zeros(STEPS, dtype=int),
        },
        index=pd.date_range("2026-01-01", periods=STEPS, freq="min"),
    )


@pytest.fixture(scope="session")
def model(machine: pd.DataFrame) -> rvae.Model:
    return rvae.fit(
        machine,
        window=16,
        label="anomaly",
        units={"heat": "°C"},
        model={"architecture": "dense", "dense": {"layers": []}, "latent": 3},
        training={"epochs": 2, "quantile": 0.8, "accelerator": "cpu"},
    )
