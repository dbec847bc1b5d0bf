"""Prometheus and Alertmanager of the composition see what happens, and tell it."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pytest
import yaml

from tests.support.builds import build_stand_in
from tests.support.composition import Composition
from tests.support.fault_models import WINDOW
from tests.support.monitoring import (
    MONITORING,
    RULES,
    SECONDS,
    Prometheus,
    alert_queries,
    board_queries,
    write_receiver,
    write_rules,
)
from tests.support.paths import ROOT
from tests.support.proxied import Proxied
from tests.support.proxied_load import ProxiedLoad
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

STAND_INS = ROOT / "tests" / "docker" / "images"
BACK = 180  # seconds
# Prints what it is sent, a line for each message.
HOOK = """
import http.server

class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("", 8000), Hook).serve_forever()
"""


@dataclass(frozen=True)
class Watched:
    """A composition with monitoring.

    Attributes:
        composition: With the services `prometheus`, `alertmanager` and `hook`.
        prometheus: That of the composition.
    """

    composition: Composition
    prometheus: Prometheus

    def told(self) -> list[tuple[str, str]]:
        """Names of alerts and whether they are firing or resolved, as the webhook was told."""
        said = self.composition.engine.run("logs", self.composition.container("hook")).stdout
        messages = [json.loads(line) for line in said.splitlines() if line]
        return [
            (one["labels"]["alertname"], one["status"])
            for message in messages
            for one in message["alerts"]
        ]


@pytest.fixture(scope="module")
def watched(
    composition: Composition, service: Proxied, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """The composition with its monitoring, which looks each second and waits for nothing."""
    folder = tmp_path_factory.mktemp("monitoring")
    receiver = folder / "alertmanager"
    receiver.mkdir()
    write_rules(folder)
    write_receiver(receiver, "http://hook:8000/")
    text = (MONITORING / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(re.sub(r"interval: \d+s", f"interval: {SECONDS}", text))
    for path in folder.rglob("*.yml"):
        path.chmod(0o644)
    receiver.chmod(0o755)
    files = ("prometheus.yml", *RULES)
    services = {
        "prometheus": {"volumes": [f"{folder / name}:/etc/prometheus/{name}:ro" for name in files]},
        "hook": {
            "image": "python:3.11-slim-bookworm",
            "command": ["python3", "-c", HOOK],
            "networks": ["monitoring"],
        },
    }
    override = folder / "watched.yaml"
    override.write_text(yaml.safe_dump({"services": services}))
    settings = {"RVAE_ALERTMANAGER": str(receiver)}
    for name in ("prometheus", "alertmanager"):
        settings[f"RVAE_{name.upper()}_IMAGE"] = f"rvae-test-{name}"
        build_stand_in(composition.engine, STAND_INS / f"{name}.Dockerfile", f"rvae-test-{name}")
    running = replace(
        composition,
        environment={**composition.environment, **settings},
        files=[*composition.files, override],
    )
    names = ("prometheus", "alertmanager", "hook")
    running.run("up", "--detach", "--no-deps", *names)
    networks = running.inspect("prometheus")["NetworkSettings"]["Networks"]
    address = networks[f"{running.project}_monitoring"]["IPAddress"]
    prometheus = Prometheus(f"http://{address}:9090")
    wait_for(prometheus.is_ready)
    yield Watched(running, prometheus)
    running.keep_logs(folder)
    running.run("rm", "--stop", "--force", *names)


def test_every_query_of_the_board_has_values(watched: Watched, service: Proxied) -> None:
    silent = {title: query for title, (query, _) in board_queries().items()} | alert_queries()
    values: dict[str, str] = {}

    def all_told() -> bool:
        for title, query in list(silent.items()):
            found = [float(one["value"][1]) for one in watched.prometheus.query(query)]
            if found and np.isfinite(found).any():
                values[title] = f"{len(found)} series, the first is {found[0]:g}"
                del silent[title]
        return not silent

    # Shares of errors have values once there was one.
    watched.composition.run("stop", "server")
    answer = service.ask(body=WINDOW)
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
    watched.composition.run("start", "server")
    wait_for(service.is_ready, BACK)
    with ProxiedLoad(service) as load:
        load.await_answers()
        with suppress(AssertionError):
            wait_for(all_told, BACK)
    print("\n".join(f"{title}: {value}" for title, value in values.items()))
    assert silent == {}


def test_an_alert_is_told_and_taken_back(watched: Watched, service: Proxied) -> None:
    watched.composition.run("stop", "server")
    try:
        wait_for(lambda: ("RvaeAbsent", "firing") in watched.told(), BACK)
    finally:
        watched.composition.run("start", "server")
    wait_for(service.is_ready, BACK)
    wait_for(lambda: ("RvaeAbsent", "resolved") in watched.told(), BACK)


def test_another_replica_is_watched_without_a_word(
    watched: Watched, composition: Composition, service: Proxied
) -> None:
    composition.run("up", "--detach", "--no-recreate", "--scale=server=2", "server")
    try:
        wait_for(lambda: watched.prometheus.value('sum(up{job="rvae"})') == 2, BACK)
    finally:
        composition.run("up", "--detach", "--no-recreate", "--scale=server=1", "server")
    wait_for(service.is_ready, BACK)
