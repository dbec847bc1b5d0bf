"""What a model makes of one series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.scaler import Scaler
from rvae.scoring import aggregation
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import Event, find_events, require_gap, step_scores
from rvae.scoring.excess import excess

__all__ = ["Analysis"]


@dataclass(frozen=True)
class Analysis:
    """What a model makes of the W windows of one series.

    E is C, but for categorical channels, of which each category counts.

    Attributes:
        starts: First step of each window (W,).
        latent: Centre of q(z|x) (W, D).
        mean: Mean of p(x|z) at the centre of q(z|x), scaled; of categories, their probabilities
            (W, T, E).
        nll: -log p(x|z) of each value, scaled, NaN where missing (W, T, C).
        parts: What the errors of each window consist of (W, P), as `Evidence` describes it.
        errors: Squared errors in the part that decides (W, T, C), or none where there are no parts.
        score: Of each window (W,), NaN where nothing was observed.
        length: Points N of the series.
        scaler: Of the model.
        channels: Names of the channels.
        levels: Of the parts (P,), where the score is their excess.
        kinds: How many parts there are of each channel.
    """

    starts: NDArray[np.int64]
    latent: NDArray[np.float32]
    mean: NDArray[np.float32]
    nll: NDArray[np.float32]
    parts: NDArray[np.float32]
    errors: NDArray[np.float32]
    score: NDArray[np.float64]
    length: int
    scaler: Scaler
    channels: tuple[str, ...]
    levels: NDArray[np.float64] | None
    kinds: int

    @property
    def contributions(self) -> NDArray[np.float64]:
        """What each step and channel adds to its window's score (W, T, C), NaN where missing."""
        if self.levels is None:
            return aggregation.contributions(self.nll)
        return aggregation.shared(self.score, self.errors)

    @property
    def point_scores(self) -> NDArray[np.float64]:
        """Score of each point (N,), the mean over the windows that cover it.

        A likelihood tells points apart, and it is their own that is averaged. An excess is of a
        window as a whole.
        """
        if self.levels is None:
            return aggregation.mean_by_point(
                aggregation.point_scores(self.nll), self.starts, self.length
            )
        return aggregation.window_mean_by_point(
            self.score, self.starts, self.mean.shape[1], self.length
        )

    @property
    def channel_scores(self) -> NDArray[np.float64]:
        """Score of each channel at each point (N, C), made as that of the point is."""
        if self.levels is None:
            return aggregation.mean_by_point(self.nll, self.starts, self.length)
        over = excess(self.parts, self.levels)
        kinds, channels = self.kinds, self.nll.shape[2]
        if kinds:
            by_kind = over[:, : kinds * channels].reshape(-1, kinds, channels)
            said = np.fmax.reduce(by_kind, axis=1)
        else:  # there is but the distance of all together
            said = np.nansum(self.contributions, axis=1)
        return aggregation.window_mean_by_point(said, self.starts, self.mean.shape[1], self.length)

    @property
    def reconstruction(self) -> NDArray[np.float64]:
        """Reconstruction of each point in the data's units (N, C), the mean over its windows.

        Of a categorical channel it is the number of the most likely category.
        """
        return self.scaler.inverse(aggregation.mean_by_point(self.mean, self.starts, self.length))

    def events(
        self, thresholds: float | NDArray[np.float64], calibration: Calibration, gap: int
    ) -> list[Event]:
        """The events of the series, in order: stretches of steps that score above the threshold.

        Args:
            thresholds: Of each window (W,), or of all.
            calibration: Of the model.
            gap: Stretches with no more steps than this between them are one event.

        Raises:
            FieldError: If the gap is negative.
        """
        require_gap(gap)
        if not (self.score > thresholds).any():
            return []  # nor does any mean exceed that of the thresholds
        scores, limits = step_scores(
            self.score, thresholds, self.starts, self.mean.shape[1], self.length
        )
        return find_events(
            scores,
            limits,
            self.point_scores,
            self.channel_scores,
            self.channels,
            calibration,
            gap,
        )
