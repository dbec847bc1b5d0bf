"""Probes: how much normal windows must be changed until a model flags them.

Each probe changes normal windows in one way, by sizes of a geometric grid. Positions, signs and
patterns are drawn once per window: only the size differs between the sizes of a probe. Missing
values stay missing and categorical channels stay as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from rvae.data.patterns import STEPS_PER_CYCLE, PatternsConfig, new_patterns
from rvae.data.series import Series
from rvae.data.windows import windows_with
from rvae.errors import require
from rvae.inference.engine import Engine

__all__ = ["PROBES", "Probe", "ProbeResult", "ProbesReport", "SizeResult", "run_probes"]

# Evenly chosen normal windows that are changed.
MAX_WINDOWS = 500

# New patterns that are dealt out to the windows, and the most sines of a channel of one.
PATTERNS, SINES = 30, 5

Change = Callable[[NDArray[np.float64], float, np.random.Generator], NDArray[np.float64]]


@dataclass(frozen=True)
class Probe:
    """One way to change windows.

    Attributes:
        name: Name in reports.
        unit: Unit of the sizes: "share" of the amplitude, "std" for standard deviations of the
            channel in the normal windows, or "steps".
        sizes: Ascending sizes of the change for windows of T steps; none if it needs longer ones.
        change: Changes windows (S, T, C), NaN where missing, by a size.
    """

    name: str
    unit: str
    sizes: Callable[[int], Sequence[float]]
    change: Change


@dataclass(frozen=True)
class SizeResult:
    """Results for changes of one size.

    Attributes:
        size: Size of the change, in the unit of the probe.
        auroc: Probability that a changed window scores higher than an unchanged one, in [0, 1].
        flagged: Share of the changed windows above the threshold.
        tail_probability: Median tail probability of the changed windows.
    """

    size: float
    auroc: float
    flagged: float
    tail_probability: float


@dataclass(frozen=True)
class ProbeResult:
    """Results of one probe.

    Attributes:
        probe: The probe.
        sizes: Results in order of the size.
    """

    probe: Probe
    sizes: tuple[SizeResult, ...]

    @property
    def detection_limit(self) -> float | None:
        """Smallest size at which half of the changed windows are flagged; None if none is enough.

        Between two sizes the share is interpolated over the logarithm of the size. It is the
        smallest size of the grid if that is enough.
        """
        for before, one in zip((None, *self.sizes), self.sizes, strict=False):
            if one.flagged >= 0.5:
                if before is None:
                    return one.size
                part = (0.5 - before.flagged) / (one.flagged - before.flagged)
                return float(before.size * (one.size / before.size) ** part)
        return None


@dataclass(frozen=True)
class ProbesReport:
    """Results of all probes.

    Attributes:
        windows: Number of normal windows that were changed.
        flagged: Share of them above the threshold before any change.
        results: One per probe.
    """

    windows: int
    flagged: float
    results: tuple[ProbeResult, ...]


def new_pattern(
    values: NDArray[np.float64], size: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Replace the share `size` of each channel's amplitude by sums of sines.

    The pattern has the mean and the spread of the channel in this window, so that the shape alone
    is new. The mixture has them as well, apart from a correlation by chance.
    """
    count, window, channels = values.shape
    config = PatternsConfig(
        patterns=PATTERNS,
        channels=channels,
        length=window,
        sines=min(SINES, window // STEPS_PER_CYCLE),
        scatter=0.0,
        seed=int(random.integers(2**32)),
    )
    # Each channel of each pattern has mean 0 and spread 1.
    patterns = new_patterns(config)[random.integers(PATTERNS, size=count)]
    mean, spread = _mean_and_spread(values, axis=1)
    kept = np.sqrt(1 - size**2)
    return mean + kept * (values - mean) + size * spread * patterns


def outlier(
    values: NDArray[np.float64], size: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Add `size` standard deviations of the channel, up or down, to one value of each channel."""
    _, spread = _mean_and_spread(values, axis=(0, 1))
    signs = random.choice([-1.0, 1.0], values[:, :1].shape)
    # The observed step with the largest of these numbers; any step where nothing is observed.
    draws = np.where(np.isnan(values), -1.0, random.random(values.shape))
    chosen = draws == draws.max(axis=1, keepdims=True)
    return values + size * spread * signs * chosen


def time_shift(
    values: NDArray[np.float64], size: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Move the observed values of each channel later by `size` of them; the last come first."""
    # Observed steps in order, then missing ones, which stay where they are.
    missing = np.isnan(values)
    order = np.argsort(missing, axis=1, kind="stable")
    observed = (~missing).sum(axis=1, keepdims=True)
    rank = np.arange(values.shape[1])[None, :, None]
    source = np.where(rank < observed, (rank - int(size)) % np.maximum(observed, 1), rank)
    moved = np.take_along_axis(np.take_along_axis(values, order, 1), source, 1)
    changed = np.empty_like(values)
    np.put_along_axis(changed, order, moved, 1)
    return changed


def level_shift(
    values: NDArray[np.float64], size: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Move each window as a whole, up or down, by `size` standard deviations of each channel."""
    _, spread = _mean_and_spread(values, axis=(0, 1))
    return values + size * spread * random.choice([-1.0, 1.0], (len(values), 1, 1))


def _powers(first: float, last: float) -> tuple[float, ...]:
    """Doubled sizes from the first to the last."""
    return tuple(first * 2.0**i for i in range(1 + round(np.log2(last / first))))


PROBES = (
    Probe(
        "new pattern",
        "share",
        lambda window: _powers(1 / 32, 1) if window >= STEPS_PER_CYCLE else (),
        new_pattern,
    ),
    Probe("outlier", "std", lambda _: _powers(1 / 8, 16), outlier),
    Probe(
        "time shift", "steps", lambda window: _powers(1, 2 ** int(np.log2(window / 2))), time_shift
    ),
    Probe("level shift", "std", lambda _: _powers(1 / 16, 8), level_shift),
)


def run_probes(
    engine: Engine, series: Sequence[Series], stride: int | None = None, seed: int = 0
) -> ProbesReport:
    """Change normal windows, and compare their scores with those of unchanged ones.

    Args:
        engine: The model.
        series: In the data's units, each with N ≥ T. Without labels all steps count as normal.
        stride: Steps between windows; the model's own if left out.
        seed: Seed of the changes.

    Raises:
        FieldError: If a series does not fit the model, no normal window has a value, or the model
            has no numeric channel.
    """
    numeric = np.array(engine.card.scaler.categories) == 0
    require(bool(numeric.any()), "probes", "need a numeric channel, and this model has none")
    windows = _normal_windows(engine, series, stride)
    values = np.stack([np.asarray(one.values) for one in windows])[..., numeric]  # (S, T, C)
    unchanged = _scores(engine, windows)
    low, high = (bound[numeric] for bound in engine.card.scaler.bounds)
    calibration = engine.card.calibration
    threshold = calibration.threshold()

    def measured(probe: Probe, size: float) -> SizeResult:
        changed = probe.change(values, size, np.random.default_rng(seed)).clip(low, high)
        whole = []
        for one, new in zip(windows, changed, strict=True):
            copy = np.array(one.values)
            copy[:, numeric] = new
            whole.append(replace(one, values=copy))
        scores = _scores(engine, whole)
        truth = np.repeat([0, 1], len(windows))
        return SizeResult(
            size,
            auroc=float(roc_auc_score(truth, np.concatenate([unchanged, scores]))),
            flagged=float((scores > threshold).mean()),
            tail_probability=float(np.median(calibration.tail_probability(scores))),
        )

    return ProbesReport(
        len(windows),
        float((unchanged > threshold).mean()),
        tuple(
            ProbeResult(probe, tuple(measured(probe, size) for size in sizes))
            for probe in PROBES
            if (sizes := probe.sizes(engine.card.window))
        ),
    )


def _normal_windows(engine: Engine, series: Sequence[Series], stride: int | None) -> list[Series]:
    """Evenly chosen windows without an anomalous step in which something is observed."""
    found = []
    for _, stretch, analysis in engine.scan(series, stride):
        anomalous = windows_with(stretch.anomalous, analysis.starts, engine.card.window)
        found.append((stretch, analysis.starts[~anomalous & ~np.isnan(analysis.score)]))
    total = sum(len(starts) for _, starts in found)
    require(total > 0, "data", "has no normal window with a value")
    chosen = np.linspace(0, total - 1, min(MAX_WINDOWS, total), dtype=np.int64)
    windows: list[Series] = []
    passed = 0
    for stretch, starts in found:
        here = chosen[(chosen >= passed) & (chosen < passed + len(starts))] - passed
        windows += [stretch.part(start, start + engine.card.window) for start in starts[here]]
        passed += len(starts)
    return windows


def _scores(engine: Engine, windows: Sequence[Series]) -> NDArray[np.float64]:
    """Score of each window (S,)."""
    return np.concatenate([analysis.score for analysis in engine.analyse(windows)])


def _mean_and_spread(
    values: NDArray[np.float64], axis: int | tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of what is observed along axes, 0 where nothing is."""
    observed = ~np.isnan(values)
    count = np.maximum(observed.sum(axis=axis, keepdims=True), 1)
    mean = np.nansum(values, axis=axis, keepdims=True) / count
    variance = np.nansum((values - mean) ** 2, axis=axis, keepdims=True) / count
    return mean, np.sqrt(variance)
