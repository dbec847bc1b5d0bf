import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.serving.heartbeat import Beat, Heartbeat, read_heartbeat
from tests.support.waiting import wait_for

WORKER = """
import sys
from pathlib import Path
from rvae.serving.heartbeat import Heartbeat
heartbeat = Heartbeat(Path(sys.argv[1]))
print("ready", flush=True)
for seconds in sys.stdin:
    with heartbeat.busy(float(seconds)):
        print("busy", flush=True)
        sys.stdin.readline()
    print("idle", flush=True)
"""


def beat(path: Path) -> Beat:
    found = read_heartbeat(path)
    assert found is not None
    return found


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def tell(worker: subprocess.Popen[str], line: str) -> str:
    assert worker.stdin is not None and worker.stdout is not None
    print(line, file=worker.stdin, flush=True)
    return worker.stdout.readline().strip()


def test_a_process_counts_until_it_is_stopped(
    worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    path = tmp_path / str(worker.pid)
    first = beat(path).count
    wait_for(lambda: beat(path).count > first + 2)
    os.kill(worker.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, worker.pid, os.WSTOPPED)
    stopped = beat(path).count
    time.sleep(0.5)  # that nothing happens cannot be waited for
    assert beat(path).count == stopped
    os.kill(worker.pid, signal.SIGCONT)
    wait_for(lambda: beat(path).count > stopped)


def test_a_process_tells_what_it_is_busy_with(
    worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    path = tmp_path / str(worker.pid)
    assert beat(path).busy_since is None
    for expected in (1.5, 0.25):
        before = time.monotonic()
        assert tell(worker, str(expected)) == "busy"
        found = beat(path)
        assert found.busy_since is not None
        assert before <= found.busy_since <= time.monotonic()
        assert found.expected_seconds == expected
        assert tell(worker, "") == "idle"
        assert beat(path).busy_since is None


def test_work_that_fails_ends_too(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    path = tmp_path / str(os.getpid())
    with pytest.raises(ZeroDivisionError), heartbeat.busy(1.0):
        assert beat(path).busy_since is not None
        raise ZeroDivisionError
    assert beat(path).busy_since is None


def test_a_folder_that_is_removed_does_no_harm(
    worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path)
    assert read_heartbeat(tmp_path / str(worker.pid)) is None
    assert tell(worker, "1") == "busy"
    assert tell(worker, "") == "idle"
    assert worker.poll() is None


def test_a_process_without_a_folder_works_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Heartbeat(tmp_path / "missing").busy(1.0):
        pass
    assert "No heartbeat" in caplog.text


@pytest.mark.parametrize("content", [b"", b"123", bytes(64)])
def test_a_file_of_something_else_is_no_heartbeat(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(content)
    assert read_heartbeat(tmp_path / "1") is None


def test_the_file_of_an_older_process_of_that_number_is_replaced(tmp_path: Path) -> None:
    (tmp_path / str(os.getpid())).write_bytes(b"older")
    Heartbeat(tmp_path)
    assert beat(tmp_path / str(os.getpid())).count >= 1
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]
