"""What is chosen by measured times, of a machine with a clock that runs as it is told."""

from collections.abc import Callable

import pytest

from rvae.inference.runtimes.tuning import BATCHES, FEW, Tuning, tune

Seconds = Callable[[int, int], float]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return now


def tuned(clock: list[float], seconds: Seconds, threads: int = 1) -> Tuning:
    """Tune where a run takes so many seconds; runs at a time take turns."""

    def run(threads: int, windows: int) -> None:
        clock[0] += seconds(threads, windows)

    return tune(run, threads)


def test_the_smallest_batch_is_taken_that_is_as_fast_as_the_best(clock: list[float]) -> None:
    rates = {1: 500, 8: 900, 16: 990, 32: 1000, 64: 950}
    found = tuned(clock, lambda _, windows: windows / rates[windows])
    assert (found.threads, found.windows_per_run, found.concurrency) == (1, 16, 1)
    assert found.seconds_alone == pytest.approx(1 / 500)
    assert found.windows_per_second == pytest.approx(990)


def test_larger_batches_are_not_measured_where_they_take_too_long(clock: list[float]) -> None:
    sizes = []

    def seconds(threads: int, windows: int) -> float:
        sizes.append(windows)
        return windows / 300

    assert tuned(clock, seconds).windows_per_run in BATCHES
    assert max(sizes) == 16 and clock[0] < 1


def test_a_slow_model_is_measured_with_one_batch_at_least(clock: list[float]) -> None:
    found = tuned(clock, lambda _, windows: float(windows))
    assert (found.windows_per_run, found.seconds_alone) == (BATCHES[0], 1)


def test_a_single_window_gets_threads_where_they_help(clock: list[float]) -> None:
    def helps(threads: int, windows: int) -> float:
        return windows / 1e4 / (threads if windows == 1 else 1)

    found = tuned(clock, helps, threads=2)
    assert (found.threads, found.seconds_alone) == (2, pytest.approx(0.5e-4))
    assert [found.threads_for(n) for n in (1, FEW, FEW + 1)] == [2, 2, 1]
    useless = tuned(clock, lambda _, windows: windows / 1e4, threads=2)
    assert useless.threads == useless.threads_for(1) == 1


def test_runs_side_by_side_are_chosen_where_they_are_faster(clock: list[float]) -> None:
    def hurried(threads: int, windows: int) -> float:
        """Every run after those of one thread alone takes half of the time."""
        hurried.calls += 1  # type: ignore[attr-defined]
        alone = hurried.calls <= (1 + len(BATCHES)) * 4 + 4  # type: ignore[attr-defined]
        return windows / 1e6 / (1 if alone else 2)

    hurried.calls = 0  # type: ignore[attr-defined]
    found = tuned(clock, hurried, threads=2)
    assert (found.concurrency, found.windows_per_second) == (2, pytest.approx(2e6))
    assert tuned(clock, lambda _, windows: windows / 1e6, threads=2).concurrency == 1
