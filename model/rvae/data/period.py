"""The period of a series."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["found_period", "period"]

# Enough to find a period of a few hundred steps.
POINTS = 20_000

# Shorter lags are noise; longer ones are not covered.
MIN_PERIOD, MAX_PERIOD = 6, 303
LAGS = 400

NO_PERIOD = 125


def period(values: NDArray[Any]) -> int:
    """The period of a channel (N,), see `found_period`; 125 steps if there is none."""
    return found_period(values) or NO_PERIOD


def found_period(values: NDArray[Any]) -> int | None:
    """Lag of the highest peak of a series' autocorrelation.

    A peak is higher than both of its neighbours. The bounds are those of the benchmark TSB-AD (Liu
    and Paparrizos 2024, "The elephant in the room: towards a reliable time-series anomaly detection
    benchmark", NeurIPS), which takes the period for the longest buffer around events. A slow series
    with noise has peaks of noise at short lags, higher than the one of its period.

    Args:
        values: A channel (N,), NaN where missing. Only its beginning is used.

    Returns:
        Time steps from 6 to 303; None if the highest peak is outside this range or missing.
    """
    values = values[:POINTS].astype(np.float64)
    observed = ~np.isnan(values)
    if not observed.any():
        return None
    around_mean = np.where(observed, values - values[observed].mean(), 0.0)
    # Zeros at the end prevent a cyclic correlation.
    spectrum = np.fft.rfft(around_mean, 1 << (len(values) + LAGS).bit_length())
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: min(LAGS + 1, len(values))]
    # Peaks at 4 and 5 compete although they are too short, as they do in the benchmark.
    lags = np.arange(4, len(correlation) - 1)
    higher = correlation[lags] > np.maximum(correlation[lags - 1], correlation[lags + 1])
    peaks = lags[higher]
    if len(peaks) == 0:
        return None
    highest = int(peaks[correlation[peaks].argmax()])
    return highest if MIN_PERIOD <= highest <= MAX_PERIOD else None
