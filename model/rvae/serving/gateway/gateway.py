"""The gateway: its listeners, and its end."""

import asyncio
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import partial

from rvae.serving.gateway.backend import Backend
from rvae.serving.gateway.connection import Connection
from rvae.serving.gateway.connections import Connections
from rvae.serving.gateway.dispatcher import Dispatcher, Job
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Application
from rvae.serving.gateway.metrics_page import MetricsPage
from rvae.serving.gateway.predictions import Predictions, as_sent
from rvae.serving.gateway.recordings import Recordings
from rvae.serving.gateway.routes import Routes
from rvae.serving.gateway.shadows import Shadows
from rvae.serving.gateway.traffic import Load, Traffic

__all__ = ["Gateway"]

SWEEP_SECONDS = 0.5
POLL_SECONDS = 0.02
BACKLOG = 1024
# Of management, and of metrics; and what is kept in memory for them.
OPERATORS, OPERATORS_BYTES = 32, 16_000_000
READERS_BODY_BYTES = 65_536


class Gateway:
    """Listens for clients, and answers them by a backend.

    It is used within one event loop.

    Args:
        limits: The bounds.
        health: Whether every model is ready; and why not, or what will become a trouble.
        answering: Names and versions of the models that are ready.
        metrics: Metrics to tell, in the text format of Prometheus; called in another thread.

    Attributes:
        routes: Which versions are served; until it is told, requests are refused.
        traffic: What was done for clients.
        recordings: What is kept of clients' requests for others.
        predictions: What answers clients.
        unseen: The same for operators, of whose requests nothing is kept or copied.
        metrics: What tells the metrics.
    """

    def __init__(
        self,
        limits: GatewayLimits,
        health: Callable[[], tuple[bool, tuple[str, ...]]],
        answering: Callable[[], Collection[tuple[str, str]]],
        metrics: Callable[[], bytes] = bytes,
    ) -> None:
        self._limits = limits
        self.traffic = Traffic()
        self._connections = Connections(limits, self.traffic.refused)
        # Each has its own: management must be reachable when clients have taken all connections,
        # and metrics are for anybody on this machine.
        least = max(OPERATORS_BYTES, limits.body_bytes, limits.answer_bytes)
        few = replace(limits, connections=OPERATORS, buffered_bytes=least)
        self._operators = Connections(few)
        self._readers = Connections(replace(few, body_bytes=READERS_BODY_BYTES))
        self.routes = Routes()
        self._dispatcher = Dispatcher(limits, self._connections.budget, self.routes, self.traffic)
        self.recordings = Recordings()
        self._shadows = Shadows(self.routes, self._connections.budget, self._dispatcher.answer)
        asked = (self._dispatcher, self.routes, health, answering)
        self.predictions = Predictions(*asked, self._answered)
        self.unseen = Predictions(*asked)
        self.metrics = MetricsPage(metrics, limits)
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def load(self) -> Load:
        """What is held for clients now."""
        forwarded = self._dispatcher.forwarded
        return Load(
            len(self._connections),
            self._dispatcher.requests - forwarded,
            forwarded,
            self._connections.budget.held,
        )

    def use(self, backend: Backend | None) -> None:
        """Answer by another backend from now on; without one requests wait for the next."""
        self._dispatcher.use(backend)
        self.metrics.use(backend)

    def repeat(self) -> None:
        """Send again what is not answered soon: a worker has ended, and may have taken it along."""
        self._dispatcher.repeat()

    async def start(
        self,
        inference: socket.socket,
        metrics: socket.socket,
        private: socket.socket,
        management: Application,
    ) -> None:
        """Begin to listen.

        Args:
            inference: Bound socket for predictions.
            metrics: Bound socket for metrics.
            private: Bound Unix socket for management.
            management: What answers there.
        """
        loop = asyncio.get_running_loop()
        self._sweeper = loop.create_task(self._sweep())
        for one, connections, application in (
            (inference, self._connections, self.predictions),
            (metrics, self._readers, self.metrics),
        ):
            factory = partial[Connection](Connection, connections, application)
            self._servers.append(await loop.create_server(factory, sock=one, backlog=BACKLOG))
        factory = partial[Connection](Connection, self._operators, management)
        self._servers.append(await loop.create_unix_server(factory, sock=private))

    async def stop(self, seconds: float) -> int:
        """Answer what was asked, accept nothing new, and end.

        Args:
            seconds: Longest time to wait for answers.

        Returns:
            How many requests were not answered.
        """
        everyone = self._everyone()
        for connections in everyone:
            connections.is_ending = True
        self.recordings.end()
        # Requests that are on their way: each is answered, and its connection closed.
        await asyncio.sleep(min(seconds, self._limits.drain_seconds))
        for server in self._servers:
            server.close()
        for connections in everyone:
            connections.end_idle()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(connections.busy for connections in everyone):
                    await asyncio.sleep(POLL_SECONDS)
        await self._shadows.close()
        lost = sum(connections.busy for connections in everyone)
        for connections in everyone:
            connections.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        return lost

    def _answered(self, job: Job) -> None:
        """A client's request was answered."""
        if self.recordings.wants(job.model):
            self.recordings.hear(job.model, as_sent(job))
        self._shadows.copy(job)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for connections in self._everyone():
                connections.sweep(loop.time())

    def _everyone(self) -> tuple[Connections, ...]:
        return self._connections, self._operators, self._readers
