"""The bounds of the gateway."""

from dataclasses import dataclass

__all__ = ["GatewayLimits"]


@dataclass(frozen=True)
class GatewayLimits:
    """What clients can take.

    Attributes:
        body_bytes: Size of a request's body.
        head_bytes: Size of a request's line and headers; the backend reads 8 KiB of headers.
        buffered_bytes: Bodies and answers in memory, those of up to `small_bytes` aside.
        small_bytes: Size up to which a body is read at once, however full the memory is.
        connections: Open connections.
        forwarded: Requests in the backend at a time.
        waiting: Requests that wait for their turn.
        seconds: Time to answer a request in, from its last byte on.
        idle_seconds: Time between requests of a connection.
        head_seconds: Time for line and headers.
        pause_seconds: Time without progress of a body or an answer.
        slow_bytes_per_second: Rate below which a transfer is ended if others wait for memory.
        unavailable_seconds: Time to wait for a model that has no worker.
        drain_seconds: Time in which connections still bring requests after the end was asked for.
    """

    body_bytes: int = 6_500_000
    head_bytes: int = 7_000
    buffered_bytes: int = 64_000_000
    small_bytes: int = 65_536
    connections: int = 1000
    forwarded: int = 256
    waiting: int = 1000
    seconds: float = 60.0
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    pause_seconds: float = 20.0
    slow_bytes_per_second: float = 1e6
    unavailable_seconds: float = 5.0
    drain_seconds: float = 1.0
