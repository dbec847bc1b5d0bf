"""Workers that live, hang, work for too long and end; processes of this test stand for them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rvae.serving.heartbeat import read_heartbeat
from rvae.serving.torchserve.supervision.workers import POLL_SECONDS, Patience, Workers
from tests.support.waiting import wait_for

# Works when it is told to, on what it expects to take a second, or keeps Python for itself.
WORKER = """
import pathlib, re, sys, time
from rvae.serving.heartbeat import Heartbeat
heartbeat = Heartbeat(pathlib.Path(sys.argv[1]))
for line in sys.stdin:
    if line == "work\\n":
        with heartbeat.busy(1.0):
            time.sleep(3600)
    if line == "compute\\n":
        re.match("(a+)+b", "a" * 64)
"""
PATIENCE = Patience(still_seconds=1.0, silent_seconds=3.0, busy_seconds=2.0, busy_factor=5.0)

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", WORKER, str(tmp_path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        started.append(process)
        wait_for(lambda: read_heartbeat(tmp_path / str(process.pid)) is not None)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    watched = Workers(tmp_path, os.getpid(), PATIENCE)
    yield watched
    watched.close()


def tell(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def polls(workers: Workers, seconds: float, punctual: bool = True) -> list[str]:
    """What polls say that follow each other without a pause, so that nobody's heart beats."""
    count = round(seconds / POLL_SECONDS)
    return [words for _ in range(count) for words in workers.poll(punctual)]


def poll_until_ended(workers: Workers) -> list[str]:
    """What is said of a worker that is ended."""
    words: list[str] = []

    def is_ended() -> bool:
        words.extend(workers.poll(punctual=True))
        return bool(words)

    wait_for(is_ended)
    return words


def count(heartbeat: Path) -> int:
    beat = read_heartbeat(heartbeat)
    assert beat is not None
    return beat.count


def is_beating(workers: Workers, pid: int) -> bool:
    workers.poll(punctual=True)
    return pid in workers.living


def test_one_that_has_stopped_is_ended_and_the_others_live(start: Start, workers: Workers) -> None:
    stopped, other = start(), start()
    wait_for(lambda: workers.poll(punctual=True) == [] and len(workers.living) == 2)
    assert workers.lives(stopped.pid)
    stopped.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(stopped.pid).status() == psutil.STATUS_STOPPED)
    words = poll_until_ended(workers)
    assert len(words) == 1
    assert words[0].startswith(f"worker {stopped.pid} has stopped")
    assert stopped.wait(10) == -signal.SIGKILL
    assert other.poll() is None
    wait_for(lambda: is_beating(workers, other.pid))
    assert stopped.pid not in workers.living


def test_nobody_is_to_blame_while_the_supervisor_itself_comes_late(
    start: Start, workers: Workers, tmp_path: Path
) -> None:
    stopped = start()
    stopped.send_signal(signal.SIGSTOP)
    assert polls(workers, 60, punctual=False) == []
    assert polls(workers, PATIENCE.still_seconds - POLL_SECONDS) == []
    assert polls(workers, 1, punctual=False) == []  # it begins from the start
    assert polls(workers, PATIENCE.still_seconds - POLL_SECONDS) == []
    assert stopped.poll() is None
    # One more poll without a heartbeat would end it.
    last = count(tmp_path / str(stopped.pid))
    stopped.send_signal(signal.SIGCONT)
    wait_for(lambda: count(tmp_path / str(stopped.pid)) > last)
    wait_for(lambda: is_beating(workers, stopped.pid))


def test_one_that_computes_without_a_heartbeat_has_longer(start: Start, workers: Workers) -> None:
    computing = start()
    polls(workers, POLL_SECONDS)
    tell(computing, "compute")
    words = poll_until_ended(workers)
    assert "gave no sign of life for 3 s" in words[0]


def test_one_that_works_far_longer_than_expected_is_ended(start: Start, workers: Workers) -> None:
    working = start()
    assert not workers.busy
    tell(working, "work")
    wait_for(lambda: workers.poll(punctual=True) == [] and workers.busy)
    words = poll_until_ended(workers)
    assert "works for 5 s on what it expected to take 1.0 s" in words[0]  # 5 × 1 s, not 2 s
    assert working.wait(10) == -signal.SIGKILL


def test_one_that_ended_is_forgotten_with_its_file(
    start: Start, workers: Workers, tmp_path: Path
) -> None:
    ended = start()
    wait_for(lambda: is_beating(workers, ended.pid))
    assert list(workers.folders()) == [Path.cwd()] and workers.folder(ended.pid) == Path.cwd()
    ended.kill()
    wait_for(lambda: not workers.poll(punctual=True) and not workers.living)
    assert list(tmp_path.iterdir()) == []


def test_one_whose_file_was_removed_is_watched_on(
    start: Start, workers: Workers, tmp_path: Path
) -> None:
    seen = start()
    wait_for(lambda: is_beating(workers, seen.pid))
    (tmp_path / str(seen.pid)).unlink()
    seen.send_signal(signal.SIGSTOP)
    words = poll_until_ended(workers)
    assert "has stopped" in words[0]


def test_one_without_a_heartbeat_lives_as_long_as_its_process(workers: Workers) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert workers.lives(process.pid)
    process.communicate(b"\n")
    assert not workers.lives(process.pid)


def test_a_process_of_somebody_else_is_never_ended(start: Start, tmp_path: Path) -> None:
    strange = start()
    strange.send_signal(signal.SIGSTOP)
    workers = Workers(tmp_path, java=1, patience=PATIENCE)
    assert polls(workers, 60) == []
    assert workers.living == frozenset()
    assert strange.poll() is None
