"""What the proxy counts, by a real nginx."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.support.proxy_metrics import CERTIFICATE_EXPIRES, ProxyMetrics, can_count, proxy_metrics

pytestmark = pytest.mark.skipif(
    not can_count(), reason="nginx and its module for Lua are not installed"
)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ProxyMetrics]:
    with proxy_metrics(tmp_path) as running:
        yield running


def samples(proxy: ProxyMetrics) -> dict[tuple[str, ...], float]:
    text = requests.get(proxy.metrics, timeout=10).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def test_answers_count_for_their_client_and_status(proxy: ProxyMetrics) -> None:
    asked = [("/ok", "plant"), ("/ok", "plant"), ("/", "plant"), ("/ok", "laboratory"), ("/ok", "")]
    for path, client in asked:
        proxy.ask(path, client)
    name = "rvae_proxy_requests_total"
    assert samples(proxy) == {
        (name, "plant", "200"): 2,
        (name, "plant", "502"): 1,
        (name, "laboratory", "200"): 1,
        (name, "", "200"): 1,
        ("rvae_proxy_certificate_expires_timestamp_seconds",): CERTIFICATE_EXPIRES,
    }


def test_who_asks_for_the_metrics_does_not_count(proxy: ProxyMetrics) -> None:
    requests.get(proxy.metrics, timeout=10)
    other = proxy.metrics.replace("/metrics", "/other")
    assert requests.get(other, timeout=10).status_code == 404
    assert set(samples(proxy)) == {("rvae_proxy_certificate_expires_timestamp_seconds",)}
