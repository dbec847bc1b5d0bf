"""All connections of clients: how many there are, how long they may idle, how slow they may be."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from rvae.serving.gateway.budget import ByteBudget
from rvae.serving.gateway.limits import READ_BYTES, GatewayLimits

if TYPE_CHECKING:
    from rvae.serving.gateway.connection import Connection

__all__ = ["Connections"]

SPARE = 64  # connections beyond the bound that are told so, and closed


class Connections:
    """The open connections of all listeners.

    Args:
        limits: The bounds.
        refused: Told the status of every request that is not read whole, or is none.
    """

    def __init__(
        self, limits: GatewayLimits, refused: Callable[[int], object] = lambda status: None
    ) -> None:
        self.limits = limits
        self.refused = refused
        self.budget = ByteBudget(limits.buffered_bytes)
        # One for all: what is read is parsed before anything else is read.
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.is_ending = False
        self._open: set[Connection] = set()
        # Those that may be closed for others: they wait for a request, read its head, or drop what
        # comes after the last answer. The one that is so for the longest time comes first.
        self._idle: OrderedDict[Connection, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def busy(self) -> int:
        """How many have a request that was read, or an answer that was not."""
        return sum(connection.is_busy for connection in self._open)

    @property
    def is_short(self) -> bool:
        """Whether others wait for memory or a connection."""
        return self.budget.is_short or len(self._open) >= self.limits.connections

    def add(self, connection: "Connection") -> bool:
        """Count a connection; whether it is within the bound.

        One that idles makes room for it.
        """
        most = self.limits.connections
        if len(self._open) >= most and self._idle:
            longest = next(iter(self._idle))
            self.remove(longest)
            longest.abort()
        self._open.add(connection)
        if len(self._open) > most + SPARE:
            connection.abort()
        return len(self._open) <= most

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that is closed."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def set_idle(self, connection: "Connection") -> None:
        """A connection may be closed for others from now on."""
        self._idle[connection] = None

    def set_busy(self, connection: "Connection") -> None:
        """A connection has a request, and is kept."""
        self._idle.pop(connection, None)

    def sweep(self, now: float) -> None:
        """Close connections that idle too long or are too slow."""
        for connection in list(self._open):
            connection.check_time(now)

    def end_idle(self) -> None:
        """Close connections without a request whose head was read."""
        for connection in list(self._idle):
            connection.close()

    def abort(self) -> None:
        """Close all connections at once."""
        for connection in list(self._open):
            connection.abort()
