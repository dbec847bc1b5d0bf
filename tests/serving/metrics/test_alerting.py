"""Alerts: when they fire and end, whom they reach, and what is left out."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
import requests
import yaml

from tests.support.monitoring import MONITORING, RULES, alert_rules, alertmanager, prometheus
from tests.support.paths import ROOT
from tests.support.proxy import proxy
from tests.support.waiting import wait_for

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"
)


class Receiver:
    """Takes the messages of an Alertmanager.

    Attributes:
        url: Its address.
    """

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], list[str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> "Receiver":
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def states(self, name: str, instance: str) -> list[str]:
        """What was told of an alert, one after the other: `firing`, `resolved`."""
        return self._states.get((name, instance), [])

    def _take(self, alert: dict[str, Any]) -> None:
        key = alert["labels"]["alertname"], alert["labels"].get("instance", "")
        told = self._states.setdefault(key, [])
        if told[-1:] != [alert["status"]]:
            told.append(alert["status"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for alert in orjson.loads(body)["alerts"]:
                    take(alert)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_every_alert_says_what_to_do() -> None:
    rules = alert_rules()
    names = [rule["alert"] for rule in rules]
    assert len(set(names)) == len(names)
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook"}, rule["alert"]
        assert notes["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@needs_programs
@pytest.mark.parametrize("name", ["alert_tests.yml", "alert_times.yml"])
def test_an_alert_fires_for_what_it_is_for_and_ends(name: str) -> None:
    test = Path(__file__).with_name(name)
    done = subprocess.run(["promtool", "test", "rules", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_programs
@pytest.mark.parametrize(
    "command",
    [
        ["promtool", "check", "config", "prometheus.yml"],
        ["promtool", "check", "config", "prometheus.local.yml"],
        ["promtool", "check", "rules", *RULES],
        ["amtool", "check-config", "alertmanager/alertmanager.yml"],
    ],
)
def test_the_files_are_valid(command: list[str]) -> None:
    done = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_programs
def test_receivers_of_the_documentation_are_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    (example,) = re.findall(r"```yaml\n(receivers:.*?)```", page, re.DOTALL)
    content = (MONITORING / "alertmanager" / "alertmanager.yml").read_text()
    config = yaml.safe_load(content) | yaml.safe_load(example)
    names = [one["name"] for one in config["receivers"]]
    config["route"]["receiver"], config["route"]["routes"][0]["receiver"] = names
    # Alertmanager knows files with an address from 0.26 on.
    config["receivers"][1]["webhook_configs"] = [{"url": "http://127.0.0.1/"}]
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    done = subprocess.run(["amtool", "check-config", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_programs
def test_somebody_is_told_that_the_proxy_is_down_and_up_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    nobody = "127.0.0.1:1"
    with alertmanager(tmp_path, receiver.url) as alerts_to, proxy(tmp_path, nobody) as front:
        instance = front.metrics.split("/")[2]

        def told(*states: str) -> bool:
            return receiver.states("RvaeProxyDown", instance) == list(states)

        with prometheus(tmp_path, {"proxy": [front.metrics]}, alerts_to) as running:
            wait_for(lambda: bool(running.query('up{job="proxy"} == 1')))
            front.stop()
            wait_for(lambda: told("firing"))
            front.start()
            wait_for(lambda: told("firing", "resolved"))


@needs_programs
def test_what_follows_from_an_alert_is_not_told(tmp_path: Path, receiver: Receiver) -> None:
    fired = [("RvaeDown", "a"), ("RvaeFails", "a"), ("RvaeFails", "b")]
    alerts = [
        {"labels": {"alertname": name, "instance": instance, "severity": "critical"}}
        for name, instance in fired
    ]
    with alertmanager(tmp_path, receiver.url) as url:
        requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=10).raise_for_status()
        told = (fired[0], fired[2])
        wait_for(lambda: all(receiver.states(*one) == ["firing"] for one in told))
        asked = {"inhibited": "true", "active": "false", "silenced": "false"}
        found = requests.get(f"{url}/api/v2/alerts", params=asked, timeout=10).json()
        assert [one["labels"]["instance"] for one in found] == ["a"]
    assert receiver.states("RvaeFails", "a") == []
