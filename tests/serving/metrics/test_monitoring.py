"""The board and the alerts, by what real servers tell."""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parsed

from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import Endpoint, fresh_state
from tests.support.monitoring import (
    alert_queries,
    alertmanager,
    annotation_queries,
    board_queries,
    metrics_in,
    prometheus,
)
from tests.support.paths import ROOT
from tests.support.proxy import Proxy, proxy
from tests.support.upstream import answer, upstream
from tests.support.waiting import wait_for

PROGRAMS = ("prometheus", "prometheus-alertmanager")
needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"
)
BOARD = board_queries()
QUERIES = {title: query for title, (query, _) in BOARD.items()} | alert_queries()


@pytest.fixture(scope="module")
def replica(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A second server of the same archives."""
    logs = tmp_path_factory.mktemp("replica")
    with Endpoint(fresh_state(list_archives(store), workers=1), logs=logs) as running:
        running.start()
        yield running


def samples(server: Endpoint) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = requests.get(server.metrics, timeout=30).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def ask(server: Endpoint, window: np.ndarray, path: str = "waves") -> requests.Response:
    """Ask for a window, or for several."""
    body = {"instances" if window.ndim == 3 else "data": window.tolist()}  # NaN becomes null
    url = f"{server.url}/predictions/{path}"
    return requests.post(url, data=orjson.dumps(body), timeout=60)


@contextmanager
def under_traffic(
    servers: list[Endpoint], front: Proxy, windows: list[np.ndarray]
) -> Iterator[None]:
    """Requests of all kinds meanwhile, and enough values that drift is told."""
    is_over = threading.Event()
    several = np.stack(windows)
    several[:, ::10] = np.nan

    def run() -> None:
        while not is_over.is_set():
            for server in servers:
                for path in ("waves", "waves/1.0"):
                    assert ask(server, several, path).status_code == 200
                    assert ask(server, several[0, :3], path).status_code == 422
            assert front.ask("/predictions/fine").status == 200
            assert front.ask("/predictions/broken").status == 500
            is_over.wait(0.2)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_requests_of_the_default_count_for_its_version(
    server: Endpoint, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    label = {"model": "waves", "version": "1.10"}

    def count(name: str, **more: str) -> float:
        return samples(server).get((name, frozenset((label | more).items())), 0.0)

    names = ("rvae_windows_total", "rvae_flagged_windows_total", "rvae_steps_total")
    before = {name: count(name) for name in names}
    requested = count("rvae_requests_total", code="200")
    for window in [*fresh[:3], *anomalous[:2]]:
        assert ask(server, window).headers["rvae-version"] == "1.10"
    assert count("rvae_requests_total", code="200") == requested + 5
    wait_for(lambda: count("rvae_windows_total") == before["rvae_windows_total"] + 5)
    assert count("rvae_flagged_windows_total") == before["rvae_flagged_windows_total"] + 2
    assert count("rvae_steps_total") == before["rvae_steps_total"] + sum(map(len, fresh[:5]))


def test_what_board_and_alerts_name_is_told(server: Endpoint) -> None:
    text = requests.get(server.metrics, timeout=30).text
    told = {sample.name for family in parsed(text) for sample in family.samples}
    told |= {"rvae_drift_index"}  # of enough values only
    told |= documented("rvae_proxy_")  # see tests/deployment
    for title, query in (QUERIES | annotation_queries()).items():
        assert metrics_in(query) <= told, title


def test_what_is_told_is_documented_and_nothing_else(server: Endpoint) -> None:
    text = requests.get(server.metrics, timeout=30).text
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    told = {name for name in types if name.startswith("rvae_")}  # as they are in queries
    assert told == documented("rvae_") - documented("rvae_proxy_")


def documented(beginning: str) -> set[str]:
    """The metrics in the tables of the page that begin so."""
    page = (ROOT / "docs" / "metrics.md").read_text()
    return set(re.findall(rf"^\| `({beginning}\w+)`", page, re.MULTILINE))


@needs_programs
def test_every_query_of_board_and_alerts_has_values_of_several_servers(
    server: Endpoint, replica: Endpoint, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    servers = [server, replica]
    with (
        upstream(lambda asked: answer(500 if "broken" in asked.line else 200)) as behind,
        proxy(tmp_path, behind.address) as front,
        alertmanager(tmp_path, "http://127.0.0.1:1/") as alerts_to,
        under_traffic(servers, front, fresh[:20]),
        prometheus(
            tmp_path,
            {"rvae": [one.metrics for one in servers], "proxy": [front.metrics]},
            alerts_to,
        ) as running,
    ):
        silent = dict(QUERIES)

        def all_told() -> bool:
            for title, query in list(silent.items()):
                if known(running.query(query)):
                    del silent[title]
            return not silent

        with suppress(AssertionError):
            wait_for(all_told)
        assert silent == {}
        assert running.value("sum(rvae_ready)") == 2
        assert running.value("max(rvae_drift_index)") < 0.25
        flagged = "sum(rate(rvae_flagged_windows_total[10s])) / sum(rate(rvae_windows_total[10s]))"
        assert running.value(flagged) < 0.3
        for title, (query, legend) in BOARD.items():
            lines = [drawn(legend, one["metric"]) for one in running.query(query)]
            assert len(set(lines)) == len(lines), f"{title}: {lines} are one for the reader"
        for query in annotation_queries().values():
            running.query(query)


def known(series: list[dict[str, Any]]) -> bool:
    """Whether a query has a number."""
    values = [float(one["value"][1]) for one in series]
    return bool(values) and bool(np.isfinite(values).any())


def drawn(legend: str, labels: dict[str, str]) -> str:
    """What Grafana writes beside a series."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)
