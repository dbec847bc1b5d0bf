"""A seeded generator of machines: numbers, categories, times and classes that hang together."""

import numpy as np
import pyarrow as pa

__all__ = ["machines"]

SPREADS = {"small": 0.5, "large": 1.5}


def machines(count: int, steps: int = 24, seed: int = 0) -> pa.Table:
    """So many runs of a machine, a row an hour, each run beginning at another hour of the week.

    Columns: `machine` tells the runs apart; `when` is the hour; `size` is the class, on which the
    height of the wave depends; `load` is a wave of random phase on a curve of the day; `duty` is
    the same wave without that curve, squeezed into [0, 1]; `mode` is "up", "down" or "idle",
    whichever a quarter of a turn later the wave is.
    """
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (count, 1))
    size = random.choice(list(SPREADS), count)
    height = np.array([SPREADS[one] for one in size])[:, None]
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False) + phase
    hours = random.integers(0, 7 * 24, (count, 1)) + np.arange(steps)
    wave = height * np.sin(angle) + random.normal(0, 0.05, (count, steps))
    later = np.cos(angle)
    columns = {
        "machine": np.repeat([f"m{i}" for i in range(count)], steps),
        "when": np.datetime64("2026-01-05", "us") + hours.ravel() * np.timedelta64(1, "h"),
        "size": np.repeat(size, steps),
        "load": 20 + 3 * (wave + 0.7 * np.sin(2 * np.pi * hours / 24)).ravel(),
        "duty": 0.5 + 0.5 * np.tanh(wave).ravel(),
        "mode": np.select([later > 0.3, later < -0.3], ["up", "down"], "idle").ravel(),
    }
    return pa.table(columns)
