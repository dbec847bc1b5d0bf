"""The memory that a server takes under the largest requests, beside what it was planned to take.

    python -m benchmarks.memory [--models small lstm torch] [--memory 2GB] [--clients 64]

Starts `rvae serve` for one model after the other, told to take no more memory than that, and in a
group of processes with that limit where one can be made. Many clients at a time send the largest
bodies of each format, ask for the largest answers, and hold a thousand connections with half of a
small body each. Prints what gateway, Java and workers took at most, by the kernel's own account
(VmHWM), and what `rvae serve` said. It takes one to three minutes a model on two processors.
"""

import argparse
import io
import json
import os
import re
import resource
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from rvae.config import ModelConfig, RecurrentConfig
from rvae.inference.conversion import with_runtime
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve.capacity.available import parse_memory, raise_descriptors
from tests.support.exchanges import JSON, ask_at_once, posted
from tests.support.memory_groups import MemoryGroup, memory_group
from tests.support.served_process import ServedProcess
from tests.support.untrained import untrained_artifact, untrained_card

__all__ = ["MODELS", "build", "peaks", "storms"]

NAME = "rvae"
PATH = f"/predictions/{NAME}"
MB = 1e6
CONNECTIONS = 1000
PLANNED = re.compile(r"gateway (\d+), Java (\d+) .*?workers (\d+)\.")
PARTS = ("gateway", "Java", "workers")

# By name: hidden units, steps of a window, latent, and what runs it.
MODELS = {
    "small": (20, 64, 4, "onnx"),
    "lstm": (90, 280, 20, "onnx"),
    "torch": (256, 128, 32, None),
}


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--memory", default="2GB", help="what the server may take")
    parser.add_argument("--clients", type=int, default=64, help="requests at a time")
    options = parser.parse_args()
    raise_descriptors()
    for name in options.models:
        with tempfile.TemporaryDirectory(prefix="rvae-memory-") as folder:
            _measure(name, Path(folder), options.memory, options.clients)


def build(name: str, store: Path) -> int:
    """Write the archive of a model; how many of its windows make the largest answer."""
    hidden, window, latent, runtime = MODELS[name]
    card = untrained_card(
        ModelConfig(recurrent=RecurrentConfig(hidden=hidden), latent=latent), window=window
    )
    finished = {"finished": "2026-01-31T12:00:00+00:00"}
    artifact = untrained_artifact(replace(card, training=finished))
    if runtime:
        artifact, _ = with_runtime(artifact, runtime, None, None)
    build_archive(artifact, NAME, "1.0", store)
    return int(320_000 / window)  # of about twenty bytes a value


def storms(windows: int) -> Iterator[tuple[str, bytes, Mapping[str, str]]]:
    """Names, bodies and headers of what many clients send at once."""
    options = {"Rvae-Options": json.dumps({"stride": 1_000_000})}
    table = pa.table({"heat": np.random.default_rng(0).normal(20, 1, 800_000)})
    arrow, array = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(arrow, table.schema) as stream:
        stream.write_table(table)
    np.save(array, np.ones((6_400_000, 1), np.int8))
    numbers = b'{"stride":1000000,"data":[' + b"1.5," * 999_999 + b"1.5]}"
    yield "a million numbers in JSON", numbers, JSON
    lists = b'{"stride":1000000,"data":[' + b"[1]," * 1_600_000 + b"[1]]}"
    yield "6.4 MB of lists in JSON", lists, JSON
    yield "6 MB of CSV", b"heat\n" + b"1.512\n" * 990_000, {"Content-Type": "text/csv", **options}
    yield "6.4 MB of NumPy", array.getvalue(), {"Content-Type": "application/x-npy", **options}
    arrow_type = {"Content-Type": "application/vnd.apache.arrow.stream"}
    yield "6.4 MB of Arrow", arrow.getvalue(), arrow_type | options
    yield "samples", json.dumps({"task": "sample", "count": windows}).encode(), JSON


def peaks(served: ServedProcess) -> tuple[int, ...]:
    """Most bytes of gateway, Java and workers since the last call."""
    groups = ({served.process.pid}, served.javas(), served.workers())
    return tuple(sum(map(_peak, pids)) for pids in groups)


def _measure(name: str, folder: Path, memory: str, clients: int) -> None:
    windows = build(name, folder / "store")
    with ExitStack() as stack:
        group = stack.enter_context(_limited(parse_memory(memory)))
        options = ("--memory", memory)
        served = stack.enter_context(ServedProcess(folder / "store", folder, options, group=group))
        found = PLANNED.search(served.text())
        assert found is not None, served.text()
        planned = [int(part) for part in found.groups()]
        processes = served.javas() | served.workers()
        print(f"\n{name}: {_said(planned)} planned", flush=True)
        most = _report("start", served, "")
        for title, body, headers in storms(windows):
            answers = ask_at_once(served.address, PATH, [body] * clients, headers, 150)
            counts = dict(sorted(Counter(answer.status for answer in answers).items()))
            most = list(map(max, most, _report(title, served, str(counts))))
        with _held(served.address):
            most = list(map(max, most, _report(f"{CONNECTIONS} connections", served, "")))
        assert served.javas() | served.workers() == processes, "a process was replaced"
        killed = f"; group {group.peak / MB:.0f} MB, killed {group.killed}" if group else ""
        print(f"{name}: {_said(most)} at the most{killed}", flush=True)
        assert all(one <= bound for one, bound in zip(most, planned, strict=True)), "over the plan"


def _report(title: str, served: ServedProcess, answers: str) -> list[float]:
    found = [size / MB for size in peaks(served)]
    print(f"  {title}: {_said(found)} {answers}", flush=True)
    return found


def _said(sizes: list[int] | list[float]) -> str:
    parts = ", ".join(f"{part} {size:.0f}" for part, size in zip(PARTS, sizes, strict=True))
    return f"{parts}, in all {sum(sizes):.0f} MB"


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the account begins anew
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) << 10


@contextmanager
def _limited(memory: int) -> Iterator[MemoryGroup | None]:
    """A group of processes with a limit; None where none can be made."""
    if not os.access("/sys/fs/cgroup/memory", os.W_OK):
        yield None
        return
    with memory_group(memory) as group:
        yield group


@contextmanager
def _held(address: tuple[str, int]) -> Iterator[None]:
    """Connections, each with a request whose body is not yet whole."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > CONNECTIONS
    part = posted(PATH, b"x" * 65_000)[:-1]
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(closing(socket.create_connection(address, 60)))
            connection.sendall(part)
        yield


if __name__ == "__main__":
    main()
