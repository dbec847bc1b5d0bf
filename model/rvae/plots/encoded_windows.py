"""Latents of windows, and what may colour them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.windows import window_starts, windows_with
from rvae.inference.engine import Engine
from rvae.plots.latent import MAX_LATENTS

__all__ = ["EncodedWindows", "encode_windows"]


@dataclass(frozen=True, eq=False)
class EncodedWindows:
    """Latents of some windows, evenly chosen among all of some series.

    Attributes:
        latent: (W, D).
        scores: Score of each window (W,), NaN where nothing was observed.
        classes: Index of each window's class (W,), negative where unknown.
        anomalous: Which windows hold a step that is labelled as anomalous (W,).
        total: Number of windows that they were chosen from.
    """

    latent: NDArray[np.float32]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    anomalous: NDArray[np.bool_]
    total: int


def encode_windows(
    engine: Engine, series: Sequence[Series], stride: int | None = None
) -> EncodedWindows:
    """Encode and score windows, as many as a picture can show.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T.
        stride: Steps between windows; the model's own if left out.

    Raises:
        FieldError: If a series does not fit the model.
    """
    for one in series:
        engine.check(one)
    card = engine.card
    stride = card.stride if stride is None else stride
    windows = engine.windows(series, stride)
    chosen = windows.evenly_spaced(MAX_LATENTS)
    some = windows.subset(chosen)
    run = engine.runner.run(some)
    anomalous = np.concatenate(
        [
            windows_with(one.anomalous, window_starts(len(one), card.window, stride), card.window)
            for one in series
        ]
    )
    return EncodedWindows(
        latent=run.latent,
        scores=engine.runner.scorer.score(run.evidence),
        classes=np.concatenate([batch.label for batch in some.batches()]),
        anomalous=anomalous[chosen],
        total=len(windows),
    )
