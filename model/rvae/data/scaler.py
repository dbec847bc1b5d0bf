"""Channels in the data's own units ⇄ inputs and outputs of networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.stored import blocks
from rvae.data.summary import Summary
from rvae.errors import require

__all__ = ["Scaler", "summarize"]

# Outside these bounds, squares of values leave the range of float64.
MIN_SCALE, MAX_SCALE = 1e-100, 1e100

# At more standard deviations, the square of a value's distance leaves the range of float32.
MAX_DEVIATIONS = 1e12


def summarize(series: Sequence[Series]) -> Summary:
    """Statistics of every value of some series with the same channels."""
    summary = Summary.empty(series[0].values.shape[1])
    for s in series:
        for block in blocks(s.values):
            summary = summary.merge(block)
    return summary


@dataclass(frozen=True)
class Scaler:
    """Scaling of each channel (C,) for networks, and back.

    Attributes:
        mean: Subtracted from a numeric channel, in its own units.
        scale: Divides a numeric channel.
        categories: Number of categories of a categorical channel, 0 for a numeric one.
        unit_interval: Whether numeric channels are not scaled, and must lie in [0, 1].
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    categories: tuple[int, ...]
    unit_interval: bool = False

    @classmethod
    def fit(
        cls,
        summary: Summary,
        channels: Sequence[str],
        categories: Sequence[int],
        unit_interval: bool = False,
        keep_constant: bool = False,
        keep_unobserved: bool = False,
    ) -> "Scaler":
        """Bring numeric channels to zero mean and unit spread.

        Args:
            summary: Of the training part.
            channels: Names of the channels.
            categories: Number of categories of each, 0 for a numeric one.
            unit_interval: Whether numeric channels stay as they are, and must lie in [0, 1].
            keep_constant: Whether a channel that does not vary is kept, in its own unit.
            keep_unobserved: Whether a channel without values is kept, in its own unit.

        Raises:
            FieldError: If a channel has no values, does not vary, or is out of range.
        """
        with np.errstate(over="ignore"):
            scale = np.sqrt(summary.variance)
        mean = summary.mean.copy()
        for i, name in enumerate(channels):
            low, high = summary.smallest[i], summary.largest[i]
            observed = bool(summary.observed[i] > 0)
            require(keep_unobserved or observed, name, "has no value in the training part")
            require(
                keep_constant or not observed or bool(low < high),
                name,
                'is constant in the training part: leave it out, or set data.constant to "keep"',
            )
            if low == high or not observed:
                scale[i] = 1.0
            if categories[i] or unit_interval:
                mean[i], scale[i] = 0.0, 1.0
            if unit_interval and not categories[i]:
                require(
                    bool(low >= 0 and high <= 1),
                    name,
                    f"lies in [{low:g}, {high:g}], but the likelihood needs values in [0, 1]",
                )
            require(
                bool(MIN_SCALE < scale[i] < MAX_SCALE) and bool(abs(mean[i]) < MAX_SCALE),
                name,
                f"has a mean of {mean[i]:g} and a spread of {scale[i]:g}: "
                "use a unit in which they are nearer to 1",
            )
        return cls(tuple(mean.tolist()), tuple(scale.tolist()), tuple(categories), unit_interval)

    @cached_property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest value of each channel (C,) that a model accepts."""
        mean, scale, categories = map(np.array, (self.mean, self.scale, self.categories))
        low = np.where(self.unit_interval, 0.0, mean - MAX_DEVIATIONS * scale)
        high = np.where(self.unit_interval, 1.0, mean + MAX_DEVIATIONS * scale)
        numeric = categories == 0
        return np.where(numeric, low, 0.0), np.where(numeric, high, categories)

    @cached_property
    def _affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and scale of each channel, both (C,)."""
        return np.array(self.mean), np.array(self.scale)

    @cached_property
    def outputs(self) -> int:
        """Numbers E per step of a reconstruction by the network."""
        return sum(count or 1 for count in self.categories)

    def transform(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale (..., C). The difference is taken in float64, to stay exact at a level of 1e9."""
        mean, scale = self._affine
        return ((values - mean) / scale).astype(np.float32)

    def one_hot(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled values (..., C) in the form of a reconstruction (..., E).

        A numeric channel is one number. A categorical one is one-hot: one number per category,
        all zero for an unknown category, NaN where it is missing.
        """
        if not any(self.categories):
            return scaled
        spread = []
        for i, count in enumerate(self.categories):
            column = scaled[..., i : i + 1]
            if count:
                hot = (column == np.arange(1, count + 1)).astype(np.float32)
                column = np.where(np.isnan(column), np.float32(np.nan), hot)
            spread.append(column)
        return np.concatenate(spread, axis=-1)

    def numbers(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Numeric channels of reconstructions (..., E) as (..., C), NaN for other channels."""
        firsts = np.cumsum([0, *(count or 1 for count in self.categories[:-1])])
        numeric = np.array(self.categories) == 0
        return np.where(numeric, outputs[..., firsts], np.float32(np.nan))

    def inverse(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Reconstructions (..., E) in the data's units (..., C).

        For a categorical channel it is the most likely category.
        """
        if not any(self.categories):
            mean, scale = self._affine
            return outputs * scale + mean
        columns, at = [], 0
        for i, count in enumerate(self.categories):
            if count:
                likely = outputs[..., at : at + count]
                columns.append(np.where(np.isnan(likely[..., 0]), np.nan, likely.argmax(-1) + 1))
            else:
                columns.append(outputs[..., at] * self.scale[i] + self.mean[i])
            at += count or 1
        return np.stack(columns, axis=-1)
