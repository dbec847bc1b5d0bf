import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rvae.serving.metrics.counts_file import HALF_LIFE, Head, create
from rvae.serving.metrics.measures import PLACES
from rvae.serving.metrics.totals import LEAST_RECENT, Totals

# Counts a window, two missing values of the channel, and what it is told in two bins.
WORKER = """
import signal, sys, time
from pathlib import Path
from rvae.serving.metrics.counts_file import Head, create
from rvae.serving.metrics.measures import PLACES
version, since, *bins = sys.argv[2:]
counts = create(Path(sys.argv[1]), Head("m", version, ("a",), ((0.5, 0.5),), 0.01, float(since)))
counts.common[PLACES["windows"]] += 1
counts.missing[:] += 2
counts.bins[:] += [float(one) for one in bins]
print("ready", flush=True)
signal.pause()
"""


class Started:
    """Processes that count, each in its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, version: str, since: float, *bins: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, str(self.folder), version, str(since)]
        process = subprocess.Popen([*command, *map(str, bins)], stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    for process in started.processes:
        end(process)
        assert process.stdout is not None
        process.stdout.close()


def windows(totals: Totals) -> dict[str, float]:
    return {key[1]: total.common[PLACES["windows"]].item() for key, total in totals.read().items()}


def test_nothing_is_lost_when_workers_end_and_no_file_is_left(
    workers: Started, tmp_path: Path
) -> None:
    totals = Totals(tmp_path)
    assert totals.read() == {}
    now = time.monotonic()
    for version in ("1", "1", "2"):
        workers.start(version, now, 1, 1)
    for _ in range(2):
        assert windows(totals) == {"1": 2, "2": 1}
    for process in workers.processes:
        end(process)
        for _ in range(2):
            assert windows(totals) == {"1": 2, "2": 1}
    assert list(tmp_path.iterdir()) == []
    workers.start("1", now, 1, 1)
    assert windows(totals) == {"1": 3, "2": 1}
    assert totals.read()["m", "1"].missing == {"a": 6}


def test_drift_is_that_of_living_and_ended_workers_by_the_time_of_their_values(
    workers: Started, tmp_path: Path
) -> None:
    """A value of a half-life ago counts half."""
    totals, now = Totals(tmp_path), time.monotonic()
    old = workers.start("1", now - HALF_LIFE, 8 * LEAST_RECENT, 0)
    workers.start("1", now, 0, 4 * LEAST_RECENT)

    def index() -> dict[str, float]:
        return totals.read()["m", "1"].drift(totals.recent)

    assert index() == {"a": pytest.approx(0.0, abs=1e-9)}
    end(old)
    assert index() == {"a": pytest.approx(0.0, abs=1e-9)}
    workers.start("1", now, 0, 8 * LEAST_RECENT)
    assert index() == {"a": pytest.approx(0.25 * np.log(3), rel=1e-3)}  # 1 to 3


def test_drift_of_too_few_values_is_not_told(workers: Started, tmp_path: Path) -> None:
    totals, now = Totals(tmp_path), time.monotonic()
    workers.start("few", now, LEAST_RECENT - 10, 0)
    workers.start("old", now - HALF_LIFE, LEAST_RECENT + 10, 0)
    workers.start("enough", now, LEAST_RECENT + 10, 0)
    found = totals.read()
    assert {key[1] for key, total in found.items() if total.drift(totals.recent)} == {"enough"}


def test_another_model_under_the_same_name_begins_its_drift_anew(
    workers: Started, tmp_path: Path
) -> None:
    totals = Totals(tmp_path)
    end(workers.start("1", time.monotonic(), 9e9, 0))
    totals.read()
    head = Head("m", "1", ("a", "b"), ((0.2, 0.8), (1.0,)), 0.05, time.monotonic())
    counts = create(tmp_path, head)
    counts.bins[:2] = 2000, 8000
    found = totals.read()["m", "1"]
    assert found.drift(totals.recent) == {"a": pytest.approx(0)}
    assert found.common[PLACES["windows"]] == 1 and found.missing == {"a": 2, "b": 0}
    assert found.flagged_share == 0.05


def test_what_another_library_counts_is_left_out_and_told_once(
    workers: Started,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as other:
        other.setattr("rvae.serving.metrics.counts_file.LAYOUT", "other")
        counts = create(tmp_path, Head("m", "other", ("a",), (), 0.01, time.monotonic()))
    counts.common[:] = 1
    workers.start("1", time.monotonic(), 1, 1)
    totals = Totals(tmp_path)
    for _ in range(2):
        assert windows(totals) == {"1": 1}
    assert caplog.text.count("another version of rvae") == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_gone_has_nothing(tmp_path: Path) -> None:
    assert Totals(tmp_path / "missing").read() == {}
