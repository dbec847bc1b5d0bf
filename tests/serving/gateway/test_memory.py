"""What clients can make the gateway hold in memory is what its bounds say."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, front, post

LIMITS = GatewayLimits(
    body_bytes=1_000_000,
    answer_bytes=1_100_000,
    buffered_bytes=20_000_000,
    small_bytes=65_536,
    connections=400,
    forwarded=64,
    drain_seconds=0.0,
)
SLACK_BYTES = 15_000_000  # of the allocator, the system and the played backend
MODULE = "tests.serving.gateway.test_memory"


async def serve() -> None:
    """A gateway of its own process, which tells its port and ends with its input."""
    worker = asyncio.Lock()

    async def answer(asked: Asked) -> Answer:
        # As a worker does: one after another, and only what is still wanted.
        async with worker:
            await asyncio.sleep(0.001)
            if not one.live.is_live(asked.headers["rvae-ticket"]):
                return Answer(408, b"")
            return Answer(200, bytes(1_000_000))

    async with front(answer, LIMITS) as one:
        print(one.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def gateway() -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of a gateway."""
    command = f"import uvloop, {MODULE} as module; uvloop.run(module.serve())"
    with subprocess.Popen(
        [sys.executable, "-c", command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tempfile.gettempdir(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), psutil.Process(process.pid)
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"POST /predictions/m HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 6000,
        post(bytes(65_536))[:-1],
        post(bytes(200_000))[:-1],
        post(b"x"),
    ],
    ids=["heads", "small bodies", "large bodies", "answers that nobody reads"],
)
def test_memory_under_attack_is_within_the_stated_bound(sent: bytes) -> None:
    with gateway() as (port, process), ExitStack() as stack:
        with socket.create_connection(("127.0.0.1", port)) as first:
            first.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
            while first.recv(1000):
                pass
        before, most = process.memory_info().rss, 0
        links = []
        for _ in range(LIMITS.connections):
            link = stack.enter_context(socket.socket())
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(("127.0.0.1", port))
            link.setblocking(False)
            links.append((link, memoryview(sent)))
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            for place, (link, left) in enumerate(links):
                with suppress(OSError):
                    links[place] = link, left[link.send(left) :] if left else left
            most = max(most, process.memory_info().rss - before)
            time.sleep(0.01)
        print(f"{most / 1e6:.1f} of {LIMITS.memory_bytes / 1e6:.1f} MB")
        assert most < LIMITS.memory_bytes + SLACK_BYTES


def test_the_bound_of_the_usual_limits() -> None:
    assert GatewayLimits().memory_bytes < 250_000_000
    assert Path(__file__).stem == MODULE.rpartition(".")[2]
