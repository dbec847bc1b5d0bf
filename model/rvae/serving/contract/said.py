"""What a model says of series, in every way that it was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.inference.analysis import Analysis
from rvae.inference.card import Card
from rvae.scoring.adaptive_threshold import adaptive_thresholds
from rvae.scoring.calibration import Calibration
from rvae.scoring.events import Event
from rvae.serving.contract.options import Options
from rvae.serving.contract.query import Query

__all__ = ["Said", "said_of"]


@dataclass(frozen=True)
class Said:
    """Numbers in the form in which they are computed.

    Attributes:
        series: Of which they are.
        starts: First step of each window (W,).
        values: By the names in `outputs.NAMES`: of windows (W, ...) or of steps (N, ...). The
            threshold has no axis where it is that of all windows.
        events: If they were asked for.
    """

    series: Series
    starts: NDArray[np.int64]
    values: dict[str, NDArray[Any]]
    events: list[Event] | None


def said_of(analyses: Sequence[Analysis], query: Query, stride: int, card: Card) -> list[Said]:
    """Pick what was asked for out of the analyses of a request's series."""
    calibration, given = card.require_calibration(), query.given
    judging = bool({"score", "events"} & set(query.output))
    thresholds = _thresholds(analyses, query.options, calibration) if judging else np.empty(0)
    judged: dict[str, NDArray[Any]] = {}
    if "score" in query.output:
        # Of all series at once: most may have a single window, which is little to call NumPy for.
        scores = np.concatenate([analysis.score for analysis in analyses])
        judged = calibration.judged(scores, thresholds)
    borders = pairwise(accumulate((len(analysis.starts) for analysis in analyses), initial=0))
    said = []
    for analysis, series, (first, end) in zip(analyses, given.series, borders, strict=True):
        values: dict[str, NDArray[Any]] = {}
        events = None
        for output in query.output:
            match output:
                case "score":
                    values |= {name: _within(one, first, end) for name, one in judged.items()}
                case "band":
                    values |= _band(analysis.reconstruction, query.options.quantile, card)
                case "events":
                    threshold = _within(thresholds, first, end)
                    gap = stride if query.options.gap is None else query.options.gap
                    events = analysis.events(threshold, calibration, gap)
                case _:
                    values[output] = getattr(analysis, output)
        said.append(Said(series, analysis.starts, values, events))
    return said


def _thresholds(
    analyses: Sequence[Analysis], options: Options, calibration: Calibration
) -> NDArray[np.float64]:
    """The threshold of each window of all series, or without an axis that of all windows."""
    if options.adapt is not None:
        return np.concatenate(
            [
                adaptive_thresholds(calibration, analysis.score, options.adapt, options.quantile)
                for analysis in analyses
            ]
        )
    if options.threshold is not None:
        return np.asarray(options.threshold)
    return np.asarray(calibration.threshold(options.quantile))


def _within(values: NDArray[Any], first: int, end: int) -> NDArray[Any]:
    """Those of the windows of one series, unless they are those of all."""
    return values[first:end] if values.ndim else values


def _band(
    expected: NDArray[np.float64], quantile: float | None, card: Card
) -> dict[str, NDArray[Any]]:
    bands = card.require_bands()
    # What was not asked for cannot be more than they tell.
    usual = min(card.require_calibration().quantile, bands.largest_quantile)
    lower, upper = bands.around(expected, card.scaler, quantile or usual)
    return {"expected": expected, "lower": lower, "upper": upper}
