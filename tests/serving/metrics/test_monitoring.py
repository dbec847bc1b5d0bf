"""The board and the alerts, by what a real server tells."""

import json
import shutil
import subprocess
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

from rvae.serving.torchserve import Endpoint
from tests.support.monitoring import (
    MONITORING,
    alert_queries,
    board_queries,
    metrics_in,
    prometheus,
)
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="prometheus and promtool are not installed",
)
QUERIES = board_queries() | alert_queries()


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
def under_traffic(server: Endpoint, windows: list[np.ndarray]) -> Iterator[None]:
    """Requests of all kinds meanwhile, and enough values that drift is told."""
    is_over = threading.Event()
    several = np.stack(windows)
    several[:, ::10] = np.nan

    def run() -> None:
        while not is_over.is_set():
            for path in ("waves", "waves/1.0"):
                assert ask(server, several, path).status_code == 200
                assert ask(server, several[0, :3], path).status_code == 422
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
    for title, query in QUERIES.items():
        assert metrics_in(query) <= told, title


def test_what_is_told_is_documented_and_nothing_else(server: Endpoint) -> None:
    text = requests.get(server.metrics, timeout=30).text
    told = {name for name in _families(text) if name.startswith("rvae_")}
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `rvae_")]
    assert sorted(rows) == sorted({row.partition("{")[0] for row in told})


def _families(text: str) -> set[str]:
    """Names as they are written in queries: those of counters with their ending."""
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


@needs_prometheus
def test_every_query_of_board_and_alerts_has_values(
    server: Endpoint, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    with prometheus(server.metrics, tmp_path) as running, under_traffic(server, fresh[:20]):
        silent = dict(QUERIES)

        def all_told() -> bool:
            for title, query in list(silent.items()):
                if known(running.query(query)):
                    del silent[title]
            return not silent

        with suppress(AssertionError):
            wait_for(all_told)
        assert silent == {}
        assert running.value('sum(rvae_ready) == bool count(up{job="rvae"})') == 1
        assert running.value("max(rvae_drift_index)") < 0.25
        flagged = "sum(rate(rvae_flagged_windows_total[10s])) / sum(rate(rvae_windows_total[10s]))"
        assert running.value(flagged) < 0.3


def known(series: list[dict[str, Any]]) -> bool:
    """Whether a query has a number."""
    values = [float(one["value"][1]) for one in series]
    return bool(values) and bool(np.isfinite(values).any())


@needs_prometheus
def test_an_alert_fires_for_what_it_is_for() -> None:
    test = Path(__file__).with_name("alert_tests.yml")
    subprocess.run(["promtool", "test", "rules", str(test)], check=True, capture_output=True)


@needs_prometheus
def test_the_example_is_valid() -> None:
    config = str(MONITORING / "prometheus.yml")
    subprocess.run(["promtool", "check", "config", config], check=True, capture_output=True)


def test_panels_of_the_board_lie_beside_each_other() -> None:
    board = json.loads((MONITORING / "dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
