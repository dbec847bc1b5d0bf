"""A server under mixed requests for long: do answers slow down, does anything grow?

    python -m benchmarks.soak [--requests 200000] [--blocks 10] [--clients 16] [--minutes 90]
                              [--seed 0] [--markdown]

Starts `rvae serve` with two small models, a plain one and one with everything, and sends them
requests of every format: a quarter of them sound, a quarter of them mutations of sound ones, the
others wrong in some way, one of 250 as large as the server lets through. Of every ten requests one
is hung up on before its answer. Prints a row for each block: times of the answers to sound
requests, what was answered, memory and descriptors of gateway, Java and workers, and what the logs
hold. The last line says what grew from the second block to the last; the first one warms up.
"""

import argparse
import http.client
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from tests.support.hostile import hostile
from tests.support.hostile_targets import CARDS, archived
from tests.support.served_process import ServedProcess
from tests.support.valid_requests import Request

__all__ = ["Block", "grown", "markdown", "run", "titles"]

HUNG_UP = 0.1  # of all requests
PATIENCE = 60.0  # seconds for an answer
MB = 1e6
WIDTH = 220  # of the table


@dataclass
class Block:
    """What was seen in a number of requests.

    Attributes:
        sent: Requests since the start of the server.
        seconds: Duration.
        latencies: Seconds that answers to sound requests took.
        answers: By "200", "refused" (4xx), "busy" (429 and 503), "failed" (other 5xx, or no
            answer) and "hung up".
        memory: Bytes of the gateway, of Java and of the workers.
        descriptors: Open files of the same.
        logs: Bytes of the logs.
    """

    sent: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    memory: dict[str, float] = field(default_factory=dict)
    descriptors: dict[str, int] = field(default_factory=dict)
    logs: int = 0

    def row(self) -> list[str]:
        """The block as `titles` names it."""
        quantiles = np.quantile(self.latencies or [np.nan], (0.5, 0.99, 1)) * 1e3
        kinds = ("gateway", "Java", "workers")
        return [
            f"{self.sent}",
            f"{sum(self.answers.values()) / self.seconds:.0f}",
            " / ".join(f"{value:.1f}" for value in quantiles),
            *(f"{self.answers[kind]}" for kind in ("200", "refused", "busy", "failed", "hung up")),
            *(f"{self.memory[kind] / MB:.0f} MB, {self.descriptors[kind]}" for kind in kinds),
            f"{self.logs / MB:.1f} MB",
        ]


def titles() -> list[str]:
    """Heads of the columns."""
    return [
        *("requests", "per s", "p50 / p99 / max of sound ones, ms"),
        *("200", "refused", "busy", "failed", "hung up"),
        *("gateway", "Java", "workers", "logs"),
    ]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--blocks", type=int, default=10, help="rows of the table")
    parser.add_argument("--clients", type=int, default=16, help="requests at a time")
    parser.add_argument("--minutes", type=float, default=90, help="after which no block begins")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", action="store_true", help="the table in Markdown")
    options = parser.parse_args()
    blocks = []
    end = time.monotonic() + 60 * options.minutes
    for block in run(options.requests, options.blocks, options.clients, options.seed):
        blocks.append(block)
        print("  ".join(block.row()), flush=True)
        if time.monotonic() > end:
            break
    if options.markdown:
        print(markdown([titles(), *(block.row() for block in blocks)]))
    else:
        table = Table(*titles())
        for block in blocks:
            table.add_row(*block.row())
        Console(width=WIDTH).print(table)
    if len(blocks) > 2:
        print(grown(blocks[1], blocks[-1]))


def run(requests: int, blocks: int, clients: int, seed: int) -> Iterator[Block]:
    """Serve, send requests, and yield what was seen block by block."""
    with tempfile.TemporaryDirectory(prefix="rvae-soak-") as name:
        folder = Path(name)
        with ServedProcess(archived(folder), folder) as served:
            stream = _mixed(seed)
            for number in range(1, blocks + 1):
                block = _send(served, stream, requests // blocks, clients)
                block.sent = number * (requests // blocks)
                _weigh(served, block)
                yield block


def grown(first: Block, last: Block) -> str:
    """What the last block has more than the first one."""
    said = [
        f"{kind} {(last.memory[kind] - first.memory[kind]) / MB:+.0f} MB and "
        f"{last.descriptors[kind] - first.descriptors[kind]:+d} descriptors"
        for kind in first.memory
    ]
    before, after = (np.median(block.latencies) for block in (first, last))
    return (
        f"Since {first.sent} requests: {'; '.join(said)}; logs "
        f"{(last.logs - first.logs) / MB:+.1f} MB; median time {after / before - 1:+.0%}."
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows, of which the first one is the head, as a table."""
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def _mixed(seed: int) -> Iterator[tuple[str, Request, bool]]:
    """Name of a model, a request to it, and whether to hang up on it."""
    chance = random.Random(seed)
    while True:
        seed += 1
        streams = [
            [(name, request) for request in hostile(1000, seed, card)]
            for name, card in CARDS.items()
        ]
        for pair in zip(*streams, strict=True):
            for name, request in pair:
                yield name, request, chance.random() < HUNG_UP


class _Client:
    """One of the clients, with a connection that it keeps."""

    def __init__(self, served: ServedProcess, block: Block) -> None:
        self._connection = http.client.HTTPConnection(*served.address, timeout=PATIENCE)
        self._block = block

    def send(self, name: str, request: Request, hang_up: bool) -> None:
        path = f"/predictions/{name}" + (f"?{request.query}" if request.query else "")
        begin = time.monotonic()
        try:
            self._connection.request("POST", path, request.body, request.headers)
            if hang_up:
                self.close()
                self._block.answers["hung up"] += 1
                return
            response = self._connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException):
            self.close()
            status = 0
        if request.sound and status == 200:
            self._block.latencies.append(time.monotonic() - begin)
        self._block.answers[_kind(status)] += 1

    def close(self) -> None:
        self._connection.close()


def _kind(status: int) -> str:
    if status == 200:
        return "200"
    if status in (429, 503):
        return "busy"
    return "refused" if 400 <= status < 500 else "failed"


def _send(
    served: ServedProcess, stream: Iterator[tuple[str, Request, bool]], count: int, clients: int
) -> Block:
    """Send so many requests, by so many clients."""
    block, lock, left = Block(), Lock(), iter(range(count))

    def work() -> None:
        own = Block()
        client = _Client(served, own)
        while True:
            with lock:
                if next(left, None) is None:
                    break
                request = next(stream)
            client.send(*request)
        client.close()
        with lock:
            block.latencies += own.latencies
            block.answers += own.answers

    begin = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work) for _ in range(clients)]:
            done.result()
    block.seconds = time.monotonic() - begin
    return block


def _weigh(served: ServedProcess, block: Block) -> None:
    """Note what the processes hold."""
    kinds = {
        "gateway": {served.process.pid},
        "Java": served.javas(),
        "workers": served.workers(),
    }
    for kind, pids in kinds.items():
        block.memory[kind], block.descriptors[kind] = 0.0, 0
        for pid in pids:
            with suppress(psutil.Error):  # it may have been replaced at this moment
                process = psutil.Process(pid)
                block.memory[kind] += process.memory_info().rss
                block.descriptors[kind] += process.num_fds()
    block.logs = sum(path.stat().st_size for path in served.logs.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
