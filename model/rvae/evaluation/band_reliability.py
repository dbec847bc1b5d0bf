"""The share of normal values that lie beyond their band, compared with what is promised."""

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.evaluation.rates import Rate
from rvae.inference.analysis import Analysis
from rvae.inference.card import Card
from rvae.scoring.aggregation import window_mean_by_point

__all__ = ["BandReliability"]


class BandReliability:
    """Counts values beyond the band that is drawn around reconstructions, stretch by stretch.

    Args:
        card: Card of the model, whose own quantile the band has, or the highest that it can have.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._quantile = card.band_quantile()
        self._steps = round(card.calibration.blocks.mean_steps)
        self._counts: list[NDArray[np.int64]] = []  # values beyond, and all, of blocks (K, 2)

    def add(self, series: Series, analysis: Analysis, left_out: NDArray[np.bool_]) -> None:
        """Count the values of a stretch.

        Args:
            series: The stretch, with N points.
            analysis: Its analysis, with W windows.
            left_out: Windows (W,) whose points do not count.
        """
        if not self._quantile:
            return
        columns = self._card.band(analysis.reconstruction, self._quantile)
        values, lower, upper = np.asarray(series.values), columns["lower"], columns["upper"]
        known = ~(np.isnan(values) | np.isnan(lower)) & _beside(analysis, left_out)[:, None]
        beyond = known & ((values < lower) | (values > upper))
        firsts = np.arange(0, len(values), self._steps)
        by_step = np.stack([beyond.sum(axis=1), known.sum(axis=1)], axis=1)
        self._counts.append(np.add.reduceat(by_step, firsts))

    @property
    def rate(self) -> Rate | None:
        """The share of values beyond the band; None without a band, or without any value."""
        counts = np.concatenate(self._counts) if self._counts else np.empty((0, 2), np.int64)
        beyond, known = counts[counts[:, 1] > 0].T
        if not len(known):
            return None
        blocks = max(channel.blocks for channel in self._card.bands.channels)
        return Rate.measure(1 - self._quantile, beyond, known, blocks)


def _beside(analysis: Analysis, left_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which points (N,) are in none of the windows that are left out (W,)."""
    placement = analysis.placement
    share = window_mean_by_point(
        left_out.astype(np.float64), placement.starts, placement.window, placement.length
    )
    return ~(share > 0)
