"""The bounds of the gateway.

What clients can make it hold in memory is `GatewayLimits.memory_bytes`: of each connection a small
body, what was read beyond it, and the connection itself; and of all of them together the bodies
and answers that are counted. Answers are counted when they are there. As soon as they are too many,
requests that the backend has not begun are taken back, so that what comes on top is what it was
computing: one batch of answers for each of its workers.
"""

from dataclasses import dataclass, fields

from rvae.errors import require

__all__ = ["READ_BYTES", "GatewayLimits"]

READ_BYTES = 65_536  # most that is read from a connection at a time
CONNECTION_BYTES = 20_000  # a connection's parser, transport and tasks, and its part of the headers


@dataclass(frozen=True)
class GatewayLimits:
    """What clients can take.

    Attributes:
        body_bytes: Size of a request's body; of a chunked one, with what frames its chunks.
        answer_bytes: Size of an answer, with its headers.
        head_bytes: Size of a request's line and headers; the backend reads 8 KiB of headers.
        buffered_bytes: Bodies and answers in memory, those of up to `small_bytes` aside.
        small_bytes: Size up to which a body is read at once, however full the memory is.
        connections: Open connections.
        forwarded: Requests in the backend at a time.
        forwarded_bytes: Their bodies, those of up to `small_bytes` aside: small ones overtake them.
        waiting: Requests that wait for their turn.
        seconds: Time to answer a request in, from its last byte on.
        idle_seconds: Time between requests of a connection.
        head_seconds: Time for line and headers.
        pause_seconds: Time without progress of a body or an answer.
        least_bytes_per_second: Rate below which a transfer is ended after `pause_seconds`.
        slow_bytes_per_second: Rate below which a transfer is ended after 2 s, if others wait for
            memory or a connection.
        unavailable_seconds: Time to wait for a model that has no worker.
        drain_seconds: Time in which connections still bring requests after the end was asked for.

    Raises:
        FieldError: If a bound leaves nothing, or a body or an answer does not fit in the memory.
    """

    body_bytes: int = 6_553_500
    answer_bytes: int = 7_000_000
    head_bytes: int = 7_000
    buffered_bytes: int = 64_000_000
    small_bytes: int = 65_536
    connections: int = 1000
    forwarded: int = 256
    forwarded_bytes: int = 16_000_000
    waiting: int = 1000
    seconds: float = 60.0
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    pause_seconds: float = 20.0
    least_bytes_per_second: float = 500.0
    slow_bytes_per_second: float = 1e6
    unavailable_seconds: float = 5.0
    drain_seconds: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            require(getattr(self, field.name) >= 0, field.name, "must not be negative")
        for name in ("head_bytes", "connections", "forwarded"):
            require(getattr(self, name) >= 1, name, "must be at least 1")
        largest = max(self.body_bytes, self.answer_bytes)
        message = f"must be at least {largest}, the size of a body or an answer"
        require(self.buffered_bytes >= largest, "buffered_bytes", message)

    @property
    def memory_bytes(self) -> int:
        """Most that clients can make the gateway hold, without one batch of answers a worker."""
        each = self.small_bytes + READ_BYTES + self.head_bytes + CONNECTION_BYTES
        return self.connections * each + self.buffered_bytes
