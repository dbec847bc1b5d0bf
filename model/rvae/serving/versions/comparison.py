"""How far the answers of two versions are apart, and how far they may be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.replay import Answers

__all__ = ["Comparison", "compare", "kolmogorov"]

# What a median may be longer anyway: clocks and processors are not that exact.
SLACK_SECONDS = 0.002


@dataclass(frozen=True)
class Comparison:
    """What a replay tells of an old and a new version, each pair in this order.

    Attributes:
        requests: How many each was asked.
        windows: How many scores each answered.
        shift: Kolmogorov distance between the tail probabilities; None without scores.
        alerts: Shares of windows that are flagged.
        scores: Medians of the scores. They have no common scale, unlike the tail probabilities.
        medians: Of the seconds of an answer.
        tails: The 99th percentiles of these.
        refused: Requests that the old version answers and the new one does not.
        error: What the new version said to one of them.
    """

    requests: int
    windows: int
    shift: float | None
    alerts: tuple[float, float]
    scores: tuple[float, float]
    medians: tuple[float, float]
    tails: tuple[float, float]
    refused: int
    error: str | None

    def failures(self, bounds: Bounds) -> list[str]:
        """What is beyond the bounds, in words."""
        found = []
        if self.refused:
            found.append(
                f"{self.refused} requests that the old version answers get an error: {self.error}"
            )
        if self.shift is not None and self.shift > bounds.shift:
            found.append(f"the scores shift by {self.shift:.2f}, at most {bounds.shift:g}")
        before, after = self.alerts
        if abs(after - before) > bounds.alerts:
            found.append(
                f"{after:.1%} of the windows are flagged in place of {before:.1%}, at most "
                f"{bounds.alerts:.1%} apart"
            )
        before, after = self.medians
        if after > bounds.latency * before + SLACK_SECONDS:
            found.append(
                f"an answer takes {_milliseconds(after)} in place of {_milliseconds(before)}, at "
                f"most {bounds.latency:g} times as long"
            )
        return found

    def __str__(self) -> str:
        parts = [f"{self.requests} requests"]
        if self.shift is not None:
            parts += [
                f"{self.windows} windows, shift {self.shift:.2f}",
                f"flagged {self.alerts[0]:.1%} → {self.alerts[1]:.1%}",
                f"median score {self.scores[0]:.4g} → {self.scores[1]:.4g}",
            ]
        else:
            parts.append("no scores in them")
        names = ("median", "99 %")
        for name, (before, after) in zip(names, (self.medians, self.tails), strict=True):
            parts.append(f"{name} {_milliseconds(before)} → {_milliseconds(after)}")
        return ", ".join(parts)


def compare(old: Answers, new: Answers) -> Comparison:
    """Compare what two versions answered to the same requests."""
    pairs = zip(old.statuses, new.statuses, strict=True)
    return Comparison(
        requests=len(old.statuses),
        windows=len(new.tails),
        shift=kolmogorov(old.tails, new.tails) if old.tails and new.tails else None,
        alerts=(_share(old.flags), _share(new.flags)),
        scores=(_quantile(old.scores, 0.5), _quantile(new.scores, 0.5)),
        medians=(_quantile(old.seconds, 0.5), _quantile(new.seconds, 0.5)),
        tails=(_quantile(old.seconds, 0.99), _quantile(new.seconds, 0.99)),
        refused=sum(before < 400 <= after for before, after in pairs),
        error=new.error,
    )


def kolmogorov(first: ArrayLike, second: ArrayLike) -> float:
    """The largest difference between the distribution functions of two samples (N,) and (M,)."""
    one, other = np.sort(np.asarray(first, float)), np.sort(np.asarray(second, float))
    places = np.concatenate([one, other])

    def distribution(sample: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.searchsorted(sample, places, side="right") / len(sample)

    return float(np.abs(distribution(one) - distribution(other)).max())


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share)) if values else float("nan")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
