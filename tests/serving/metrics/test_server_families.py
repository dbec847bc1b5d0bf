from dataclasses import replace

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.traffic import Load, Traffic
from rvae.serving.metrics.server_families import (
    MemoryState,
    ServerState,
    VersionState,
    server_families,
)

RESIDENT = {("gateway", "", ""): 9, ("java", "", ""): 8, ("worker", "m", "1"): 7}
MEMORY = MemoryState(RESIDENT, 30, 100)
VERSIONS = (VersionState("m", "1", True, 1, 2), VersionState("m", "2", False, 3, 1))


def state() -> ServerState:
    traffic = Traffic()
    traffic.answered("m", "1", 200, 0.3)
    traffic.answered("m", "1", 507, 0.1)
    traffic.refused(404)
    traffic.repeated("died")
    load = Load(5, 4, 3, 2_000_000)
    return ServerState(traffic, load, GatewayLimits(), True, VERSIONS, 2, 7, MEMORY)


def samples(told: ServerState) -> dict[tuple[str, ...], float]:
    """Values by name and the values of labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in server_families(told)
        for sample in family.samples
    }


def test_what_a_server_does_and_holds_is_told() -> None:
    found = samples(state())
    for name, value in {
        ("rvae_requests_total", "m", "1", "200"): 1,
        ("rvae_requests_total", "m", "1", "507"): 1,
        ("rvae_requests_total", "m", "1", "503"): 0,
        ("rvae_requests_total", "", "", "404"): 1,
        ("rvae_request_seconds_bucket", "m", "1", "0.1"): 1,
        ("rvae_request_seconds_bucket", "m", "1", "0.5"): 2,
        ("rvae_request_seconds_count", "m", "1"): 2,
        ("rvae_request_seconds_sum", "m", "1"): 0.4,
        ("rvae_repeated_requests_total", "died"): 1,
        ("rvae_repeated_requests_total", "gone"): 0,
        ("rvae_gateway_connections",): 5,
        ("rvae_gateway_waiting_requests",): 4,
        ("rvae_gateway_forwarded_requests",): 3,
        ("rvae_gateway_buffered_bytes",): 2_000_000,
        ("rvae_gateway_buffered_bytes_limit",): 64_000_000,
        ("rvae_workers", "m", "1", "ready"): 1,
        ("rvae_workers", "m", "1", "missing"): 1,
        ("rvae_workers", "m", "2", "ready"): 3,
        ("rvae_workers", "m", "2", "missing"): 0,
        ("rvae_default_version", "m", "1"): 1,
        ("rvae_default_version", "m", "2"): 0,
        ("rvae_ready",): 1,
        ("rvae_server_starts_total",): 2,
        ("rvae_lost_workers_total",): 7,
        ("rvae_resident_bytes", "gateway", "", ""): 9,
        ("rvae_resident_bytes", "worker", "m", "1"): 7,
        ("rvae_memory_bytes",): 30,
        ("rvae_memory_limit_bytes",): 100,
    }.items():
        assert found[name] == value, name
    assert samples(replace(state(), ready=False))[("rvae_ready",)] == 0


def test_a_server_has_so_many_series_and_a_version_so_many_more() -> None:
    """What a Prometheus has to keep: see docs/metrics.md."""
    memory = MemoryState(dict(list(RESIDENT.items())[:2]), 30, 100)
    empty = replace(state(), traffic=Traffic(), versions=(), memory=memory)
    assert len(samples(empty)) == 21
    traffic = Traffic()
    traffic.answered("m", "1", 200, 0.1)
    served = replace(empty, traffic=traffic, versions=VERSIONS[:1], memory=MEMORY)
    assert len(samples(served)) == 21 + 28
