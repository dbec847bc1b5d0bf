"""A series with what a model says about it, as every picture of it needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import FieldError, require
from rvae.inference.engine import Engine
from rvae.scoring.events import Event
from rvae.scoring.thresholds import ThresholdRule

__all__ = ["MAX_CHANNELS", "ScoredSeries", "score_series"]

# More would be too low to be read.
MAX_CHANNELS = 12


@dataclass(frozen=True, eq=False)
class ScoredSeries:
    """A series, or a part of one, with what a model says about it.

    Attributes:
        values: (N, C), NaN where missing.
        reconstruction: (N, C), in the same units.
        scores: Score of each step (N,), NaN where unknown.
        channels: Names of the channels.
        lower: Lower bounds of the band (N, C), if there is one.
        upper: Upper bounds of the band (N, C), if there is one.
        coverage: Share of normal values within the band.
        thresholds: Threshold of each step (N,), if there is one.
        events: Events of the series, whose steps count from the start of the whole series.
        times: (N,), if there are times.
        units: Units by name of the channel, if it has one.
        categories: Categories by name of the channel, if it is categorical; values count from 1.
        name: Name of the series.
        first: Step of the whole series at which a part begins.
    """

    values: NDArray[np.float64]
    reconstruction: NDArray[np.float64]
    scores: NDArray[np.float64]
    channels: tuple[str, ...]
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    coverage: float | None = None
    thresholds: NDArray[np.float64] | None = None
    events: tuple[Event, ...] = ()
    times: NDArray[np.datetime64] | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    first: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def places(self) -> NDArray[Any]:
        """Place of each step on the horizontal axis (N,): its time, or its number."""
        return self.first + np.arange(len(self)) if self.times is None else self.times

    @property
    def spans(self) -> NDArray[np.int64]:
        """First and last step of each event (E, 2), within this part and counted from its start."""
        steps = [(event.start, event.end - 1) for event in self.events]
        return (np.array(steps, np.int64).reshape(-1, 2) - self.first).clip(0, len(self) - 1)

    def part(self, start: str | None, end: str | None) -> "ScoredSeries":
        """The part between two times, or two numbers of steps; the end is not included.

        Raises:
            FieldError: If a border is neither, or nothing lies between them.
        """
        low = 0 if start is None else self._step(start, "start")
        high = len(self) if end is None else self._step(end, "end")
        require(low < high, "end", f"{end} leaves nothing to draw after start {start}")

        def cut(array: Any) -> Any:
            return None if array is None else array[low:high]

        first = self.first + low
        return replace(
            self,
            **{
                name: cut(getattr(self, name))
                for name in ("values", "reconstruction", "scores", "lower", "upper")
            },
            thresholds=cut(self.thresholds),
            times=cut(self.times),
            events=tuple(
                event
                for event in self.events
                if event.start < first + high - low and event.end > first
            ),
            first=first,
        )

    def _step(self, text: str, field: str) -> int:
        """The first step at or after a border, which is a number or a time."""
        if text.isdecimal():
            return int(np.clip(int(text) - self.first, 0, len(self)))
        require(
            self.times is not None,
            field,
            f"must be the number of a step, since the series has no times, got {text!r}",
        )
        try:
            time = np.datetime64(text, "us")
        except ValueError:
            raise FieldError(
                field, f"must be the number of a step or a time like 2026-05-31T12:00, got {text!r}"
            ) from None
        return int(np.searchsorted(self.places, time))

    def shown(self, channels: Sequence[str] | None) -> list[int]:
        """Indices of the channels to draw.

        Args:
            channels: Their names; if left out, all of them, or of many those that lead in events,
                then the first ones.

        Raises:
            FieldError: If a channel is unknown.
        """
        if channels is not None:
            for name in channels:
                require(
                    name in self.channels,
                    "channels",
                    f"{name!r} is none of {', '.join(self.channels)}",
                )
            return [self.channels.index(name) for name in channels]
        leading = [name for event in self.events for name, _ in event.channels[:1]]
        names = [*sorted(set(leading), key=lambda name: -leading.count(name)), *self.channels]
        chosen = list(dict.fromkeys(names))[:MAX_CHANNELS]
        return sorted(self.channels.index(name) for name in chosen)

    def label(self, channel: int) -> str:
        """Name of a channel, with its unit if it has one."""
        name = self.channels[channel]
        return f"{name} ({self.units[name]})" if name in self.units else name

    def category_names(self, channel: int) -> dict[int, str]:
        """The name of each number in a categorical channel; none in a numeric one."""
        categories = self.categories.get(self.channels[channel], ())
        names = dict(enumerate(categories, 1))
        unknown = bool(categories) and bool((self.values[:, channel] == 0).any())
        return {0: "unknown"} | names if unknown else names


def score_series(
    engine: Engine,
    series: Series,
    stride: int | None = None,
    quantile: float | None = None,
    adapt: float | None = None,
    gap: int | None = None,
    alarms: str | None = None,
) -> ScoredSeries:
    """Score a series for a picture: the scores, thresholds and events of `rvae score`.

    A step has the mean score of the windows that cover it. Events are located within these windows.

    Args:
        engine: The model.
        series: In the data's units, with N ≥ T.
        stride: Steps between windows; the model's own if left out.
        quantile: Quantile of normal scores for the threshold; the model's own if left out. The
            band has the same, as far as the calibration allows it.
        adapt: Rate at which the threshold follows the series; fixed if left out.
        gap: Flagged windows with at most this many steps between them belong to one event; the
            stride if left out.
        alarms: Rate of false events that defines the threshold, in place of a quantile. The band
            has the model's own quantile.

    Raises:
        FieldError: If the series does not fit the model, or an option is out of range.
    """
    card = engine.card
    (analysis,) = engine.analyse([series], stride)
    rule = ThresholdRule(card.calibration, adapt, card.quantile_of(quantile, alarms))
    thresholds = rule.thresholds(analysis.score)
    scores, limits = analysis.step_scores(thresholds)
    merged = gap if gap is not None else card.stride if stride is None else stride
    coverage = card.band_quantile(quantile)
    band = card.band(analysis.reconstruction, coverage)
    return ScoredSeries(
        values=np.asarray(series.values),
        reconstruction=analysis.reconstruction,
        scores=scores,
        channels=card.channels,
        lower=band["lower"],
        upper=band["upper"],
        coverage=coverage,
        thresholds=limits,
        events=tuple(analysis.events(thresholds, card.calibration, merged)),
        times=None if series.times is None else series.clock(),
        units=card.units,
        categories=card.vocabulary.categories,
        name=series.name,
    )
