"""One server alone, started and measured: a round of one row of the table."""

import http.client
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.serving.load import load
from benchmarks.serving.model import PreparedModel
from benchmarks.serving.processes import cpu_seconds, free_ports, memory, running
from benchmarks.serving.requests import BULK, JSON, NPY, Posted, largest_difference
from benchmarks.serving.servers import LOOPBACK, Server, environment
from rvae.errors import FieldError, require

__all__ = ["MANY", "measure"]

MANY = (32, 128)  # clients that post single windows at the same time
PORTS = 5  # of predictions, and those after it that TorchServe takes
CHECKED = 4  # single windows whose answers are compared

START_SECONDS = 120.0
POLL_SECONDS = 0.01
IDLE_SHARE = 0.2  # of a core: a server that takes less has nothing to do
WARM_UP_SECONDS = 10  # Java compiles for as long: until then a request takes it five times the work
BULK_FACTOR = 2  # of the duration, as an answer takes long
BULK_ANSWERS = 4  # of each client, at the least
IDLE_SECONDS = 0.3  # in which it is measured what a server, or the machine, does unasked


def measure(
    server: Server,
    workers: int,
    threads: int,
    model: PreparedModel,
    posted: Posted,
    seconds: float,
) -> dict[str, float]:
    """Start a server, compare its answers, and measure it.

    Args:
        server: The server.
        workers: Processes that run the network.
        threads: Threads of each of them.
        model: What is served.
        posted: Requests and the engine's answers.
        seconds: Duration of each load.

    Returns:
        Measured values by name, see `table.METRICS`; those of a format that the server does not
        take are missing.

    Raises:
        FieldError: If the server does not start, an answer differs from the engine's by more than
            the tolerance, or a request fails.
    """
    busy = psutil.cpu_percent(IDLE_SECONDS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        scratch, port = Path(name), free_ports(PORTS)
        log = scratch / "output.log"
        command = server.command(model, port, workers, scratch)
        began = time.perf_counter()
        with running(command, environment(model, threads), scratch, log) as process:
            try:
                _wait_for_answer(process, port, server, posted)
                started = time.perf_counter() - began
                _wait_until_idle(process)
                difference = _compare(port, server, posted)
                measured = _load(process, port, server, posted, workers, seconds)
                proportional, resident = memory(process)
            except FieldError as error:
                tail = log.read_text(errors="replace")[-2000:]
                message = f"{error}\n{tail}".strip()
                raise FieldError(f"{server.name}, {workers} workers", message) from None
    return {
        **measured,
        "memory_pss": proportional,
        "memory_rss": resident,
        "cold_start": started,
        "difference": difference,
        "other_load": busy,
    }


def _load(
    process: subprocess.Popen[bytes],
    port: int,
    server: Server,
    posted: Posted,
    workers: int,
    seconds: float,
) -> dict[str, float]:
    url = f"http://{LOOPBACK}:{port}{server.json_path}"
    load(url, posted.single, JSON, MANY[0], WARM_UP_SECONDS)
    _wait_until_idle(process)
    lone = load(url, posted.single, JSON, 1, seconds)
    assert lone.p50 is not None and lone.p99 is not None
    measured = {"lone_p50": 1000 * lone.p50, "lone_p99": 1000 * lone.p99}
    for clients in MANY:
        _wait_until_idle(process)
        before = cpu_seconds(process)
        many = load(url, posted.single, JSON, clients, seconds)
        measured[f"rate_{clients}"] = many.rate
        measured[f"cpu_{clients}"] = 1000 * (cpu_seconds(process) - before) / many.requests
    formats = [("bulk_json", server.json_path, posted.bulk_json, JSON)]
    if server.npy_path is not None:
        formats.append(("bulk_npy", server.npy_path, posted.bulk_npy, NPY))
    for name, path, body, content_type in formats:
        url = f"http://{LOOPBACK}:{port}{path}"
        _wait_until_idle(process)
        least = BULK_ANSWERS * workers
        bulk = load(url, [body], content_type, workers, BULK_FACTOR * seconds, least)
        measured[name] = BULK * bulk.rate
    return measured


def _compare(port: int, server: Server, posted: Posted) -> float:
    """Largest difference of an answer from the engine's."""
    bodies = [posted.bulk_json, *posted.single[:CHECKED]]
    answers = [_post(port, server.json_path, body, JSON) for body in bodies]
    npy = None
    if server.npy_path is not None:
        npy = _post(port, server.npy_path, posted.bulk_npy, NPY)
    difference = largest_difference(posted, answers, npy)
    require(
        difference <= server.tolerance,
        "answer",
        f"differs from the engine's by {difference:.1e}, over {server.tolerance:.0e}",
    )
    return difference


def _wait_for_answer(
    process: subprocess.Popen[bytes], port: int, server: Server, posted: Posted
) -> None:
    """Return at the first answer with status 200."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        require(process.poll() is None, "server", f"ended with status {process.poll()}")
        with suppress(OSError, http.client.HTTPException, FieldError):
            _post(port, server.json_path, posted.single[0], JSON)
            return
        time.sleep(POLL_SECONDS)
    raise FieldError("server", f"has not answered within {START_SECONDS:g} s")


def _wait_until_idle(process: subprocess.Popen[bytes]) -> None:
    """Return when a server has nothing to do: all workers have started, all requests are answered.

    Requests of clients that have left are computed all the same.
    """
    deadline, before = time.monotonic() + START_SECONDS, cpu_seconds(process)
    while time.monotonic() < deadline:
        time.sleep(IDLE_SECONDS)
        now = cpu_seconds(process)
        if now - before < IDLE_SHARE * IDLE_SECONDS:
            return
        before = now
    raise FieldError("server", f"is still busy after {START_SECONDS:g} s without a request")


def _post(port: int, path: str, body: Path, content_type: str) -> bytes:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=START_SECONDS)
    try:
        connection.request("POST", path, body.read_bytes(), {"Content-Type": content_type})
        answer = connection.getresponse()
        content = answer.read()
        require(answer.status == 200, "answer", f"has status {answer.status}: {content[:200]!r}")
        return content
    finally:
        connection.close()
