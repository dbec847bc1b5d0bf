"""Threads and batches of a runtime, as they are fastest on this machine."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

__all__ = ["MAX_BATCH", "Tuning", "tune"]

# Runs of at most so many windows are those of single requests.
FEW = 4
BATCHES = (8, 16, 32, 64)
MAX_BATCH = BATCHES[-1]

# Measurements of all batches together, and runs of each.
SECONDS, RUNS = 0.6, 3

# Choices within this factor of the fastest one are as fast: the difference is noise.
GAIN = 1.05


@dataclass(frozen=True)
class Tuning:
    """How windows are run.

    Attributes:
        threads: Threads of a run of few windows. Any other run has one.
        windows_per_run: Most windows of a run.
        concurrency: Runs at a time, if there are several.
        seconds_alone: Measured time of a window alone; None if nothing was measured.
        windows_per_second: Measured rate of many windows; None if nothing was measured.
    """

    threads: int
    windows_per_run: int
    concurrency: int
    seconds_alone: float | None = None
    windows_per_second: float | None = None

    def threads_for(self, windows: int) -> int:
        """Threads of a run of so many windows."""
        return self.threads if windows <= FEW else 1


def tune(run: Callable[[int, int], None], most_threads: int) -> Tuning:
    """Measure what is fastest.

    It takes about a second at most, unless a single run takes as long. Among choices that are as
    fast as the best one, within noise, the fewest threads and the smallest batches are taken.

    Args:
        run: `(threads, windows)` runs so many windows by so many threads.
        most_threads: Threads that may be used.
    """
    seconds = _measure(partial(run, 1))
    rates = {windows: windows / taken for windows, taken in seconds.items() if windows > 1}
    windows = next(n for n, rate in rates.items() if GAIN * rate >= max(rates.values()))
    threads, alone, concurrency, rate = 1, seconds[1], 1, rates[windows]
    if most_threads > 1:
        shared = _median_seconds(partial(run, most_threads, 1))
        if shared * GAIN < alone:
            threads, alone = most_threads, shared
        with ThreadPoolExecutor(most_threads) as pool:

            def all_at_once() -> None:
                for _ in pool.map(partial(run, 1), [windows] * most_threads):
                    pass

            together = most_threads * windows / _median_seconds(all_at_once)
        if together > GAIN * rate:
            concurrency, rate = most_threads, together
    return Tuning(threads, windows, concurrency, alone, rate)


def _measure(run: Callable[[int], None]) -> dict[int, float]:
    """Median seconds of a run, by its number of windows: one alone, and one batch at least."""
    end = time.perf_counter() + SECONDS
    taken: dict[int, float] = {}
    for windows in (1, *BATCHES):
        if len(taken) > 1:
            expected = (RUNS + 1) * windows * min(taken[n] / n for n in taken)
            if time.perf_counter() + expected > end:
                break
        taken[windows] = _median_seconds(partial(run, windows))
    return taken


def _median_seconds(run: Callable[[], None]) -> float:
    run()  # allocates what the next ones use again
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return median(taken)
