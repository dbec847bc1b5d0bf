"""All metrics of a server, in the text format of Prometheus."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rvae.serving.metrics.families import worker_families
from rvae.serving.metrics.server_families import ServerState, server_families
from rvae.serving.metrics.totals import Totals

__all__ = ["Page"]


class Page(Collector):
    """Reads what workers count, and what the server does, whenever it is asked.

    Args:
        folder: Folder of the workers' counts.
        state: What the server does at this moment; it may be asked in any thread.
    """

    def __init__(self, folder: Path, state: Callable[[], ServerState]) -> None:
        self._totals = Totals(folder)
        self._state = state
        self._lock = Lock()
        # Of this object alone: what others in the process register is not told here.
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """The metrics now; from any thread."""
        with self._lock:
            return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: to register it does not read anything."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics; called by the registry."""
        yield from worker_families(self._totals.read(), self._totals.recent)
        yield from server_families(self._state())
