"""Requests that were read, and how they are put together: for memory and for runs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rvae.serving.contract.formats.format import Format
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import MAX_SERIES
from rvae.serving.contract.pipeline import decode_memory
from rvae.serving.contract.query import Query

__all__ = ["Job", "body_bytes", "read_together", "run_together"]

# Memory for the decoding of all bodies that are decoded at a time, unless there is a single one.
DECODED_BYTES = 64 << 20


@dataclass(frozen=True)
class Job:
    """A request that was validated.

    Attributes:
        place: Its place in the batch.
        query: What is asked for.
        answer_format: Format of the answer.
        error_key: See `Format`: that of the format of the request.
        values: Values that the model computes for it.
        work: The model's work, see `work_of`.
        seconds: Estimated seconds of that work.
        is_wanted, may_defer: See `Request`.
        queue_seconds: Time until a worker took it; None if it is not measured.
        parse_seconds: Time that it took to read it.
    """

    place: int
    query: Query
    answer_format: Format
    error_key: str | None
    values: int
    work: float
    seconds: float
    is_wanted: Callable[[], bool]
    may_defer: bool
    queue_seconds: float | None
    parse_seconds: float


def body_bytes(request: Request) -> int:
    """Bytes of a body that is still to be decoded."""
    return len(request.body) if isinstance(request.body, bytes | bytearray | str) else 0


def read_together(requests: Sequence[Request]) -> Iterator[list[int]]:
    """Places of requests that are decoded together, in groups; small bodies come first."""
    group: list[int] = []
    decoded = 0
    for place in sorted(range(len(requests)), key=lambda place: body_bytes(requests[place])):
        needed = decode_memory(requests[place])
        if group and decoded + needed > DECODED_BYTES:
            yield group
            group, decoded = [], 0
        group.append(place)
        decoded += needed
    if group:
        yield group


def run_together(jobs: Sequence[Job], values: int) -> Iterator[list[Job]]:
    """Jobs that share a run, in order, of no more values than one request may have."""
    group: list[Job] = []
    taken = series = 0
    for job in jobs:
        count = len(job.query.inputs.series)
        taken, series = taken + job.values, series + count
        if group and (taken > values or series > MAX_SERIES):
            yield group
            group, taken, series = [], job.values, count
        group.append(job)
    if group:
        yield group
