"""What a server does and holds, beside what its workers count → metrics of Prometheus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from rvae._version import __version__
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.traffic import REQUEST_SECONDS, Load, Traffic
from rvae.serving.metrics.families import MODEL, add_histogram
from rvae.serving.metrics.measures import Histogram

__all__ = ["MemoryState", "ServerState", "VersionState", "server_families"]


@dataclass(frozen=True)
class VersionState:
    """A registered version of a model.

    Attributes:
        model: Name of the model.
        version: Its version.
        default: Whether requests that name no version go to it.
        ready: Workers that are ready.
        wanted: Workers that there should be.
    """

    model: str
    version: str
    default: bool
    ready: int
    wanted: int


@dataclass(frozen=True)
class MemoryState:
    """What a server holds in memory.

    Attributes:
        resident: Bytes of its processes by part (`gateway`, `java`, `worker`), model and version;
            these are empty for what is of no version.
        used: Bytes in use of the container's memory, or of the machine's if there is no limit.
        limit: Bytes that there are.
    """

    resident: Mapping[tuple[str, str, str], int]
    used: int
    limit: int


@dataclass(frozen=True)
class ServerState:
    """What a server does and holds at a moment.

    Attributes:
        traffic: What the gateway has done.
        load: What it holds.
        limits: Its bounds.
        ready: Whether all models are ready.
        versions: Every registered version.
        starts: How often the server behind the gateway was started.
        lost_workers: How many workers have ended or were ended, as they hung.
        memory: What it holds in memory.
    """

    traffic: Traffic
    load: Load
    limits: GatewayLimits
    ready: bool
    versions: Sequence[VersionState]
    starts: int
    lost_workers: int
    memory: MemoryState


def server_families(state: ServerState) -> Iterator[Metric]:
    """The metrics of a server's state."""
    yield from _requests(state.traffic)
    yield from _load(state.load, state.limits)
    yield from _versions(state.versions)
    yield from _memory(state.memory)
    yield GaugeMetricFamily("rvae_ready", "Whether all models are ready: 1 or 0.", state.ready)
    words = "Starts of TorchServe; all but the first one are replacements."
    yield CounterMetricFamily("rvae_server_starts", words, state.starts)
    words = "Workers that have ended, or were ended as they hung."
    yield CounterMetricFamily("rvae_lost_workers", words, state.lost_workers)
    info = GaugeMetricFamily("rvae_info", "The version of rvae, with the value 1.", labels=["rvae"])
    info.add_metric([__version__], 1)
    yield info


def _requests(traffic: Traffic) -> Iterator[Metric]:
    words = (
        "Requests for predictions by the status of the answer; 499 where the client has hung up. "
        "The version is that which has answered, and empty where none has, as is the model where "
        "it is not served."
    )
    requests = CounterMetricFamily("rvae_requests", words, labels=(*MODEL, "code"))
    # Copies, as the gateway counts on meanwhile.
    for (model, version, status), count in sorted(dict(traffic.requests).items()):
        requests.add_metric((model, version, str(status)), count)
    yield requests
    words = "Time from the last byte of a request to its answer."
    seconds = HistogramMetricFamily("rvae_request_seconds", words, labels=MODEL)
    known = Histogram(REQUEST_SECONDS)
    for key, numbers in sorted(dict(traffic.seconds).items()):
        add_histogram(seconds, key, known, list(numbers))
    yield seconds
    words = (
        "Requests that were sent to a worker once more: it had deferred it as expensive, died with "
        "it, TorchServe was gone, it was recalled before it was begun, no worker was available."
    )
    repeated = CounterMetricFamily("rvae_repeated_requests", words, labels=["reason"])
    for reason, count in sorted(dict(traffic.repetitions).items()):
        repeated.add_metric([reason], count)
    yield repeated


def _load(load: Load, limits: GatewayLimits) -> Iterator[Metric]:
    for name, words, value, most in (
        ("connections", "Open connections of clients", load.connections, limits.connections),
        ("waiting_requests", "Requests that wait for their turn", load.waiting, limits.waiting),
        ("forwarded_requests", "Requests in TorchServe", load.forwarded, limits.forwarded),
        (
            "buffered_bytes",
            "Bodies and answers in memory, small ones aside",
            load.bytes,
            limits.buffered_bytes,
        ),
    ):
        yield GaugeMetricFamily(f"rvae_gateway_{name}", f"{words}.", value)
        yield GaugeMetricFamily(f"rvae_gateway_{name}_limit", f"{words}, at the most.", most)


def _versions(versions: Sequence[VersionState]) -> Iterator[Metric]:
    workers = GaugeMetricFamily("rvae_workers", "Workers by state.", labels=(*MODEL, "state"))
    words = "Whether requests that name no version go to this one: 1 or 0."
    default = GaugeMetricFamily("rvae_default_version", words, labels=MODEL)
    for one in versions:
        key = one.model, one.version
        workers.add_metric((*key, "ready"), one.ready)
        workers.add_metric((*key, "missing"), max(0, one.wanted - one.ready))
        default.add_metric(key, one.default)
    yield workers
    yield default


def _memory(memory: MemoryState) -> Iterator[Metric]:
    words = "Memory of the server's processes by part; pages that they share count in each."
    resident = GaugeMetricFamily("rvae_resident_bytes", words, labels=("part", *MODEL))
    for key, size in sorted(memory.resident.items()):
        resident.add_metric(key, size)
    yield resident
    words = "Memory in use in the container, or on the machine if there is no limit"
    yield GaugeMetricFamily("rvae_memory_bytes", f"{words}.", memory.used)
    yield GaugeMetricFamily("rvae_memory_limit_bytes", f"{words}, at the most.", memory.limit)
