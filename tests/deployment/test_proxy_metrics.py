"""What the proxy counts of its clients, for a Prometheus."""

import subprocess
from datetime import datetime

import requests
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.support.proxy import Proxy
from tests.support.upstream import Upstream, answer
from tests.support.waiting import wait_for

REQUESTS = "rvae_proxy_requests_total"
EXPIRES = "rvae_proxy_certificate_expires_timestamp_seconds"


def samples(front: Proxy) -> dict[tuple[str, ...], float]:
    text = requests.get(front.metrics, timeout=10).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def counts(front: Proxy) -> dict[tuple[str, ...], float]:
    """Requests by client and status."""
    return {
        tuple(labels): value
        for (name, *labels), value in samples(front).items()
        if name == REQUESTS
    }


def test_answers_count_for_their_client_and_status(front: Proxy, backend: Upstream) -> None:
    front.ask()
    front.ask("/elsewhere")
    front.ask(key=None)
    front.ask(key="wrong")
    backend.handler = lambda _: answer(500)
    front.ask()
    expected = {
        ("alice", "200"): 1,
        ("alice", "500"): 1,
        ("", "401"): 2,
    }
    found = counts(front)
    assert expected.items() <= found.items()
    assert sum(value for (_, code), value in found.items() if code == "404") == 1
    front.reload()
    assert counts(front) == found


def test_who_asks_for_the_metrics_does_not_count_and_finds_nothing_else(front: Proxy) -> None:
    base = front.metrics.removesuffix("/metrics")
    for path in ("/", "/metrics/", "/ping", "/predictions/m"):
        assert requests.get(f"{base}{path}", timeout=10).status_code == 404
    assert counts(front) == {}
    assert front.ask("/metrics", None, method="GET").status == 404  # clients do not reach it


def test_a_new_certificate_is_told_when_it_is_in_use(front: Proxy) -> None:
    def told() -> float:
        return samples(front)[(EXPIRES,)]

    before = told()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    key = front.certificates / "server.key"
    files = ["-nodes", "-keyout", str(key), "-out", str(front.trusted), "-subj", "/CN=localhost"]
    subprocess.run([*command, *files, "-days", "30"], check=True, capture_output=True)
    assert told() == before
    front.reload()
    ends = subprocess.run(
        ["openssl", "x509", "-in", front.trusted, "-noout", "-enddate", "-dateopt", "iso_8601"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    end = datetime.fromisoformat(ends.strip().removeprefix("notAfter="))
    wait_for(lambda: told() == end.timestamp())  # by a process that has read it
