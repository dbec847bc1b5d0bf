"""How much memory a server takes at the most, and the largest one that fits.

The formula is that of docs/operations.md: upper bounds of what was measured, with a margin. What
clients send and get is bounded by the gateway, and counts once for each copy that a process makes:

    in flight = bytes in memory of the gateway + its small bodies in the backend
    answers   = most answers of a batch
    gateway   = GATEWAY + GATEWAY_COPIES x its limits + answers of the workers
    Java      = JAVA + heap + direct memory
    heap      = HEAP + HEAP_COPIES x (in flight + answers of the workers)
    direct    = DIRECT + DIRECT_COPIES x (in flight + answers of the workers)
    worker    = base of the runtime + WEIGHT_COPIES x weights + RUN_BYTES x numbers of its runs
                + BODY_COPIES x bodies of a batch + decoding of the largest body
                + VALUE_BYTES x most values of a request + ANSWER_COPIES x answers
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import mul
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.inference.compute import inference_threads, serving_processes
from rvae.inference.runtimes.tuning import MAX_BATCH
from rvae.serving.contract.formats.csv import CSV
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.jobs import DECODED_BYTES
from rvae.serving.torchserve.capacity.available import (
    available_memory,
    parse_memory,
    raise_descriptors,
)
from rvae.serving.torchserve.capacity.footprint import Footprint, footprint
from rvae.serving.turn import ANSWERED_BYTES

__all__ = ["DESCRIPTORS", "Plan", "plan", "plan_server"]

MB = 1_000_000

GATEWAY = 80 * MB
GATEWAY_COPIES = 1.25  # growing buffers
JAVA = 130 * MB
HEAP, HEAP_COPIES = 64 * MB, 1.5
DIRECT, DIRECT_COPIES = 32 * MB, 2.0
# Interpreter and libraries of a worker.
BASES = {"onnx": 110 * MB, "openvino": 190 * MB, "torch": 300 * MB}
OTHER_BASE = 300 * MB
WEIGHT_COPIES = 4  # as bytes and arrays, of the runtime, and while it is loaded
RUN_BYTES = 4  # of a number of a layer
BODY_COPIES = 1.25
VALUE_BYTES = 100
ANSWER_COPIES = 2  # TorchServe joins what it sends

# Descriptors of the gateway and of Java beside those of clients and requests: those of operators,
# of listeners, logs, heartbeats, jars. Of the others requests in the backend take a part.
DESCRIPTORS, FORWARDED_PART = 160, 3

# Shares of the usual limits of the gateway, and of the size of a body, the largest first.
SHARES = ((1.0, 1.0), (0.75, 1.0), (0.5, 1.0), (0.25, 1.0), (0.1, 1.0), (0.1, 0.5), (0.1, 0.25))


@dataclass(frozen=True)
class Plan:
    """A server, and the memory that it takes at the most.

    Attributes:
        models: What counts of each version that is served.
        workers: Processes of each version.
        threads: Runs at a time, of a worker.
        limits: Of the gateway.
        memory: Bytes that there are.
    """

    models: Sequence[Footprint]
    workers: Sequence[int]
    threads: int
    limits: GatewayLimits
    memory: int

    @property
    def in_flight(self) -> int:
        """Bytes of bodies that Java may have."""
        return self.limits.buffered_bytes + self.limits.forwarded * self.limits.small_bytes

    @cached_property
    def answers(self) -> int:
        """Bytes of the answers of a batch, of all workers."""
        return sum(map(mul, self.workers, map(_answers, self.models)))

    @property
    def gateway(self) -> int:
        """Bytes of the gateway."""
        return GATEWAY + round(GATEWAY_COPIES * self.limits.memory_bytes) + self.answers

    @property
    def heap(self) -> int:
        """Bytes of Java's heap."""
        return HEAP + round(HEAP_COPIES * (self.in_flight + self.answers))

    @property
    def direct(self) -> int:
        """Bytes of Java's direct memory."""
        return DIRECT + round(DIRECT_COPIES * (self.in_flight + self.answers))

    @property
    def java(self) -> int:
        """Bytes of Java."""
        return JAVA + self.heap + self.direct

    @property
    def processes(self) -> int:
        """Bytes of all workers."""
        return sum(map(mul, self.workers, map(self.worker, self.models)))

    @property
    def total(self) -> int:
        """Bytes of the server."""
        return self.gateway + self.java + self.processes

    @property
    def fits(self) -> bool:
        """Whether there is memory for the server."""
        return self.total <= self.memory

    @property
    def two_fit(self) -> bool:
        """Whether there is memory for a second TorchServe beside the first one."""
        return self.gateway + 2 * (self.java + self.processes) <= self.memory

    def worker(self, model: Footprint) -> int:
        """Bytes of a worker of a model."""
        body = self.limits.body_bytes
        return round(
            BASES.get(model.runtime, OTHER_BASE)
            + WEIGHT_COPIES * model.bytes
            + RUN_BYTES * MAX_BATCH * self.threads * model.width
            + BODY_COPIES * min(self.in_flight, model.batch * body)
            # Of a byte of a body nothing takes more than a CSV. What a few bytes of Arrow may stand
            # for takes less than bodies that are decoded together.
            + max(DECODED_BYTES, CSV.most_decode_memory(body))
            + VALUE_BYTES * model.limits.values
            + ANSWER_COPIES * _answers(model)
        )

    def __str__(self) -> str:
        return (
            f"Memory: {_mb(self.total)} of {_mb(self.memory)} MB at the most: gateway "
            f"{_mb(self.gateway)}, Java {_mb(self.java)} (heap {_mb(self.heap)}, direct "
            f"{_mb(self.direct)}), {_workers(sum(self.workers))} "
            f"{_mb(self.processes)}. {self.limits.connections} connections, bodies of up to "
            f"{self.limits.body_bytes / MB:.1f} MB, {_mb(self.limits.buffered_bytes)} MB of large "
            "ones and of answers at a time."
        )


def plan(
    models: Sequence[Footprint],
    memory: int,
    descriptors: int,
    most_workers: int,
    threads: int,
    workers: Sequence[int | None],
) -> Plan:
    """The largest server that fits.

    Args:
        models: What counts of each version that is served.
        memory: Bytes that there are.
        descriptors: Files that a process may open.
        most_workers: Processes per version that the processors are enough for.
        threads: Processors that the workers share.
        workers: Processes of each version; None for as many as fit.

    Raises:
        FieldError: If none fits.
    """
    every = list(_limits(descriptors))
    # Fewer workers come before smaller limits: those change what clients can send.
    for count in range(most_workers if None in workers else 1, 0, -1):
        counts = [count if number is None else number for number in workers]
        for limits in every if count == 1 else every[:1]:
            runs = max(1, threads // max(1, sum(counts)))
            tried = Plan(models, counts, runs, limits, memory)
            if tried.fits:
                return tried
    change = "a larger limit" if max(counts) <= 1 else "fewer --workers or a larger limit"
    if len(models) > 1:
        change += ", or fewer archives in the store"
    raise FieldError(
        "memory",
        f"{_mb(memory)} MB are too few for {_workers(sum(counts))}, with which a server takes "
        f"{_mb(tried.total)} MB at the most: it needs {change}",
    )


def plan_server(
    archives: Sequence[Path], workers: Sequence[int | None], memory: str | None
) -> Plan:
    """The largest server for some archives that fits this machine, or its container.

    Args:
        archives: What it serves.
        workers: Processes of each version; None for as many as fit.
        memory: What it may take, such as 2GB; what there is if left out.

    Raises:
        FieldError: If none fits, or an argument is invalid.
    """
    return plan(
        [footprint(path) for path in archives],
        available_memory() if memory is None else parse_memory(memory),
        raise_descriptors(),
        serving_processes(len(archives)),
        inference_threads(),
        workers,
    )


def _limits(descriptors: int) -> Iterator[GatewayLimits]:
    """Bounds of the gateway, the largest first."""
    usual = GatewayLimits()
    least = max(usual.body_bytes, usual.answer_bytes)
    for share, body in SHARES:
        # Each connection of a client, and each request in the backend, is a file of the gateway.
        free = descriptors - DESCRIPTORS
        forwarded = min(round(share * usual.forwarded), free // FORWARDED_PART)
        message = f"{descriptors} files at a time are too few: raise ulimit -n"
        require(forwarded >= 1, "nofile", message)
        yield replace(
            usual,
            body_bytes=round(body * usual.body_bytes),
            buffered_bytes=max(least, round(share * usual.buffered_bytes)),
            connections=min(round(share * usual.connections), free - forwarded),
            forwarded=forwarded,
        )


def _answers(model: Footprint) -> int:
    most = model.batch * model.limits.response_bytes
    return min(most, ANSWERED_BYTES + model.limits.response_bytes)


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _mb(size: int) -> int:
    return round(size / MB)
