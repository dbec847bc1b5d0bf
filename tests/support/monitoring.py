"""The files for monitoring, and real processes that read them."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
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

__all__ = [
    "MONITORING",
    "RULES",
    "SECONDS",
    "Prometheus",
    "alert_queries",
    "alert_rules",
    "alertmanager",
    "annotation_queries",
    "board_queries",
    "metrics_in",
    "prometheus",
    "write_receiver",
    "write_rules",
]

MONITORING = ROOT / "docker" / "monitoring"
RULES = ("alerts.yml", "alerts.composition.yml")
# What Grafana puts in, here for a scrape a second.
VARIABLES = {
    "$__rate_interval": "10s",
    "$job": "rvae",
    "$instance": ".*",
    "$model": ".*",
    "$version": ".*",
}
# Scrapes, alerts and messages come faster than an operator would have them.
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

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            return requests.get(f"{self.url}/-/ready", timeout=1).ok
        except requests.ConnectionError:
            return False

    def value(self, expression: str) -> float:
        """The value of an expression of one series."""
        (series,) = self.query(expression)
        return float(series["value"][1])


@contextmanager
def prometheus(
    folder: Path, metrics: Mapping[str, list[str]], alerts_to: str | None = None
) -> Iterator[Prometheus]:
    """A Prometheus with the composition's configuration.

    Args:
        folder: For its files.
        metrics: Addresses by the name of the job; others are not scraped.
        alerts_to: Address of an Alertmanager.
    """
    address = _free_address()
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = dict.fromkeys(config["global"], SECONDS)
    targets = {"prometheus": [address]}
    targets |= {job: [urlsplit(one).netloc for one in urls] for job, urls in metrics.items()}
    if alerts_to is None:
        del config["alerting"]
    else:
        targets["alertmanager"] = [urlsplit(alerts_to).netloc]
        config["alerting"]["alertmanagers"] = [_static(targets["alertmanager"])]
    config["scrape_configs"] = [
        {"job_name": one["job_name"], **_static(targets[one["job_name"]])}
        for one in config["scrape_configs"]
        if one["job_name"] in targets
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    write_rules(folder)
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with _running(command, address):
        yield Prometheus(f"http://{address}")


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    """An Alertmanager with the composition's configuration; its address.

    Args:
        folder: For its files.
        receiver: Address of a webhook, which is told everything.
    """
    write_receiver(folder, receiver)
    address = _free_address()
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with _running(command, address):
        yield f"http://{address}"


def write_rules(folder: Path) -> None:
    """Write the alerts to a folder, as they fire at once."""
    for name in RULES:
        text = (MONITORING / name).read_text()
        (folder / name).write_text(re.sub(r"for: \d+[mh]", f"for: {SECONDS}", text))


def write_receiver(folder: Path, receiver: str) -> None:
    """Write a configuration to a folder in which a webhook is told everything at once."""
    config = yaml.safe_load((MONITORING / "alertmanager" / "alertmanager.yml").read_text())
    route = config["route"]
    for one in (route, *route["routes"]):
        waits = {"group_wait", "group_interval"} & one.keys()
        one |= dict.fromkeys(waits, SECONDS)
    hooks = [{"url": receiver, "send_resolved": True}]
    config["receivers"] = [{"name": route["receiver"], "webhook_configs": hooks}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))


def board_queries() -> dict[str, tuple[str, str]]:
    """The queries of the board and their legends by the title of the panel.

    They have values for Grafana's variables.
    """
    found = {}
    for panel in _board()["panels"]:
        for target in panel.get("targets", ()):
            query = _filled(target["expr"])
            found[f"{panel['title']} {target['refId']}"] = query, target["legendFormat"]
    return found


def annotation_queries() -> dict[str, str]:
    """The queries of the board's marks in time."""
    return {one["name"]: _filled(one["expr"]) for one in _board()["annotations"]["list"]}


def alert_rules() -> list[dict[str, Any]]:
    """Every alert."""
    contents = [yaml.safe_load((MONITORING / name).read_text()) for name in RULES]
    return [rule for one in contents for group in one["groups"] for rule in group["rules"]]


def alert_queries() -> dict[str, str]:
    """The condition of each alert, as 0 or 1 instead of a series that is absent or not."""
    return {
        rule["alert"]: f"{rule['expr']} or vector(0)"
        if rule["expr"].startswith("absent(")
        else re.sub(r" (==|<|>) ", r" \1 bool ", rule["expr"])
        for rule in alert_rules()
    }


def metrics_in(query: str) -> set[str]:
    """The names of our own metrics in a query."""
    return set(re.findall(r"\brvae_\w+", query))


def _board() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    return content


def _filled(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def _free_address() -> str:
    with bound_socket(LOOPBACK, 0) as free:
        return f"{LOOPBACK}:{free.getsockname()[1]}"


def _static(targets: list[str]) -> dict[str, Any]:
    return {"static_configs": [{"targets": targets}]}


@contextmanager
def _running(command: list[str], address: str) -> Iterator[None]:
    with subprocess.Popen(command) as process:
        try:
            wait_for(lambda: _is_ready(address))
            yield
        finally:
            process.terminate()


def _is_ready(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/-/ready", timeout=1).ok
    except requests.ConnectionError:
        return False
