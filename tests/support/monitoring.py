"""The files for monitoring, and a real Prometheus that reads them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from rvae.serving.ports import LOOPBACK, bound_socket
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

__all__ = ["MONITORING", "Prometheus", "alert_queries", "board_queries", "metrics_in", "prometheus"]

MONITORING = ROOT / "docker" / "monitoring"
# What Grafana puts in, here for a scrape a second.
VARIABLES = {"$__rate_interval": "10s", "$job": ".*", "$instance": ".*", "$model": ".*"}
# Scrapes come faster than an operator would have them.
SECONDS = "1s"


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus.

    Attributes:
        url: Its address.
    """

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression now, each with its `metric` and `value`."""
        asked = {"query": expression}
        answer = requests.get(f"{self.url}/api/v1/query", params=asked, timeout=10).json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float:
        """The value of an expression of one series."""
        (series,) = self.query(expression)
        return float(series["value"][1])


@contextmanager
def prometheus(metrics: str, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with the example's configuration, for a server's address of metrics."""
    found = urlsplit(metrics)
    text = (MONITORING / "prometheus.yml").read_text().replace("127.0.0.1:8081", found.netloc)
    (folder / "prometheus.yml").write_text(re.sub(r"interval: 15s", f"interval: {SECONDS}", text))
    shutil.copy(MONITORING / "alerts.yml", folder)
    with bound_socket(LOOPBACK, 0) as free:
        address = f"{LOOPBACK}:{free.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with subprocess.Popen(command) as process:
        running = Prometheus(f"http://{address}")
        try:
            wait_for(lambda: _is_ready(running))
            yield running
        finally:
            process.terminate()


def _is_ready(running: Prometheus) -> bool:
    try:
        return requests.get(f"{running.url}/-/ready", timeout=1).ok
    except requests.ConnectionError:
        return False


def board_queries() -> dict[str, str]:
    """The queries of the board by the title of the panel, with values for Grafana's variables."""
    board = json.loads((MONITORING / "dashboard.json").read_text())
    found = {}
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, value in (VARIABLES | {"$version": ".*"}).items():
                query = query.replace(name, value)
            found[f"{panel['title']} {target['refId']}"] = query
    return found


def alert_queries() -> dict[str, str]:
    """The condition of each alert, as 0 or 1 instead of a series that is absent or not."""
    content = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    rules = [rule for group in content["groups"] for rule in group["rules"]]
    return {rule["alert"]: re.sub(r" (==|>) ", r" \1 bool ", rule["expr"]) for rule in rules}


def metrics_in(query: str) -> set[str]:
    """The names of our own metrics in a query."""
    return set(re.findall(r"\brvae_\w+", query))
