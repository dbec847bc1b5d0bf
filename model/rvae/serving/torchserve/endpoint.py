"""An endpoint: a gateway, TorchServe behind it, and the supervisor that keeps it alive."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self, TypeVar

import uvloop

from rvae.serving.gateway.backend import Backend
from rvae.serving.gateway.gateway import Gateway
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.integrity import TrustedKeys, require_intact
from rvae.serving.management_sockets import own_socket
from rvae.serving.metrics.page import Page
from rvae.serving.metrics.server_families import MemoryState, ServerState, VersionState
from rvae.serving.ports import LOOPBACK, bound_socket
from rvae.serving.private_socket import PrivateSocket
from rvae.serving.torchserve.capacity.usage import memory_use, resident
from rvae.serving.torchserve.management import Management, Surroundings
from rvae.serving.torchserve.registrations import Registration, served
from rvae.serving.torchserve.scratch import Scratch, remove_abandoned
from rvae.serving.torchserve.server import TorchServe
from rvae.serving.torchserve.state_file import StateFile
from rvae.serving.torchserve.supervision.supervisor import Calls, Supervisor
from rvae.serving.torchserve.verdicts import verdict

__all__ = ["Endpoint"]

# Longest time to answer in what was asked before the end.
DRAIN_SECONDS = 30.0

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Endpoint:
    """Serves archives over HTTP until it is stopped, or cannot.

    Args:
        state: What to serve, of one folder of archives. Others in it can be registered later.
        logs: Folder for logs.
        host: Address of the predictions.
        port: Port of the predictions; metrics take the next one. 0 takes free ones.
        seconds: In which TorchServe has to become ready.
        limits: What clients can take.
        java_options: See `TorchServe`.
        two_fit: See `Supervisor`.
        trusted: See `TorchServe`.
        metrics_host: Address of the metrics.
        management: Socket of management; one in the folder of logs if None.

    Attributes:
        url: Address of the predictions.
        metrics: Address of the metrics.
        management: Unix socket of management, for this user alone.
        torchserve: What runs the models at the moment, once it is ready.

    Raises:
        FieldError: If it cannot listen there.
    """

    def __init__(
        self,
        state: StateFile,
        logs: Path,
        host: str = LOOPBACK,
        port: int = 0,
        seconds: float = 120.0,
        limits: GatewayLimits | None = None,
        java_options: Sequence[str] = (),
        two_fit: bool = True,
        trusted: TrustedKeys | None = None,
        metrics_host: str = LOOPBACK,
        management: PrivateSocket | None = None,
    ) -> None:
        self._state = state
        self._trusted = trusted
        self._logs = logs
        self._limits = limits or GatewayLimits()
        self._java_options = java_options
        logs.mkdir(parents=True, exist_ok=True)
        self._listener = bound_socket(host, port)
        self._metrics_listener = bound_socket(metrics_host, port + 1 if port else 0)
        listeners = (self._listener, self._metrics_listener)
        ports = [one.getsockname()[1] for one in listeners]
        self.url = f"http://{_reachable(host)}:{ports[0]}"
        self.metrics = f"http://{_reachable(metrics_host)}:{ports[1]}/metrics"
        self._private = management or PrivateSocket(own_socket(None, logs.resolve()))
        self.management = self._private.path
        self.torchserve: TorchServe
        # It outlives every TorchServe: what workers have counted is not lost with them.
        remove_abandoned()
        self._counts = Scratch()
        self._page = Page(self._counts.path, self._server_state)
        self._starts = self._lost_workers = 0
        self._java: int | None = None  # process id
        self._ends: SimpleQueue[str] = SimpleQueue()
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        calls = Calls(self._switch, self._hold, self._repeat, self._ends.put)
        self._supervisor = Supervisor(self._launch, state, logs, calls, seconds, two_fit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and return when every model is ready; requests before that are refused.

        Raises:
            FieldError: If it does not, or ends.
        """
        self._thread.start()
        self._run(self._open())
        self._supervisor.start()
        self._state.save()
        self.torchserve.prepare_next_start()

    @property
    def registrations(self) -> Sequence[Registration]:
        """What is served."""
        return self._state.registrations

    def wait(self) -> str:
        """Wait until the endpoint cannot serve any more; the reason in words."""
        return self._ends.get()

    def stop(self) -> int:
        """Answer what was asked, and end.

        Returns:
            How many requests were not answered in time.
        """
        lost = 0
        if self._thread.is_alive():
            lost = self._run(self._gateway.stop(DRAIN_SECONDS))
            self._run(self._manager.close())
            if lost:
                logger.warning("%d requests were not answered within %g s", lost, DRAIN_SECONDS)
        self._private.close()
        self._supervisor.stop()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._listener.close()
        self._metrics_listener.close()
        self._counts.remove()
        return lost

    async def _open(self) -> None:
        self._gateway = Gateway(
            self._limits, self._health, lambda: self._supervisor.answering, self._page.text
        )
        surroundings = Surroundings(
            self._state.store.resolve(),
            self._logs.resolve(),
            self.url,
            self.metrics,
            check=self._check,
            changed=self._state.update,
            previous=lambda: self._state.state.previous,
        )
        self._manager = Management(self._limits, self._gateway, surroundings)
        await self._gateway.start(
            self._listener, self._metrics_listener, self._private.listener, self._manager
        )

    def _check(self, url: str) -> None:
        """Raise a `FieldError` if an archive is damaged, or signed by nobody who is trusted."""
        require_intact(self._state.store / url, self._trusted)

    def _health(self) -> tuple[bool, tuple[str, ...]]:
        health = self._supervisor.health()
        return health.ready, health.reasons

    def _server_state(self) -> ServerState:
        registrations = self._supervisor.registrations
        versions = [
            VersionState(one.name, one.version, one.default, len(one.ready), one.min_workers)
            for one in registrations
        ]
        memory = memory_use()
        return ServerState(
            self._gateway.traffic,
            self._gateway.load,
            self._limits,
            self._supervisor.health().ready,
            versions,
            self._starts,
            self._lost_workers,
            MemoryState(resident(self._java, registrations), memory.used, memory.limit),
        )

    def _launch(
        self, registrations: Sequence[Registration], awaited: Sequence[Registration]
    ) -> TorchServe:
        return TorchServe(
            self._state.store,
            registrations,
            self._logs,
            self._java_options,
            awaited,
            self._trusted,
            self._counts.path,
        )

    def _switch(self, server: TorchServe) -> None:
        self.torchserve = server
        self._java = server.pid
        self._starts += 1
        workers = [one.min_workers for one in self._state.registrations if one.min_workers]
        backend = Backend(
            server.inference,
            server.management,
            server.metrics,
            server.tickets,
            verdict,
            max(1, min(workers, default=1) - 1),  # one worker is left for cheap requests
        )
        self._loop.call_soon_threadsafe(self._use, backend, self._state.registrations)

    def _use(self, backend: Backend, registrations: Sequence[Registration]) -> None:
        self._gateway.routes.update(served(registrations))
        self._gateway.use(backend)
        self._manager.use(backend)

    def _hold(self) -> None:
        self._loop.call_soon_threadsafe(self._gateway.use, None)
        self._loop.call_soon_threadsafe(self._manager.use, None)

    def _repeat(self) -> None:
        self._lost_workers += 1
        self._loop.call_soon_threadsafe(self._gateway.repeat)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _reachable(host: str) -> str:
    """An address of this machine, for one to listen on."""
    return LOOPBACK if host == "0.0.0.0" else host
