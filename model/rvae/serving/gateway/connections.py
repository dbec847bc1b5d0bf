"""All connections of clients: how many there are, how long they may idle, how slow they may be."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from rvae.serving.gateway.budget import ByteBudget
from rvae.serving.gateway.limits import GatewayLimits

if TYPE_CHECKING:
    from rvae.serving.gateway.connection import Connection

__all__ = ["Connections"]


class Connections:
    """The open connections of all listeners.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: GatewayLimits) -> None:
        self.limits = limits
        self.budget = ByteBudget(limits.buffered_bytes)
        self.is_ending = False
        self._open: set[Connection] = set()
        # Those without a complete request, the longest silent one first.
        self._idle: OrderedDict[Connection, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def busy(self) -> int:
        """How many have a request that was read, or an answer that was not."""
        return sum(connection.is_busy for connection in self._open)

    def add(self, connection: "Connection") -> bool:
        """Count a connection; whether it is within the bound.

        One that idles makes room for it.
        """
        if len(self._open) >= self.limits.connections and self._idle:
            self._idle.popitem(last=False)[0].abort()
        self._open.add(connection)
        return len(self._open) <= self.limits.connections

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that is closed."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def set_idle(self, connection: "Connection") -> None:
        """A connection waits for a request."""
        self._idle[connection] = None

    def set_busy(self, connection: "Connection") -> None:
        """A connection has a request."""
        self._idle.pop(connection, None)

    def sweep(self, now: float) -> None:
        """Close connections that idle too long or are too slow."""
        for connection in list(self._open):
            connection.check_time(now)

    def end_idle(self) -> None:
        """Close connections without a request."""
        for connection in list(self._idle):
            connection.close()

    def abort(self) -> None:
        """Close all connections at once."""
        for connection in list(self._open):
            connection.abort()
