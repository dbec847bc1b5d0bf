"""The changed batches in a real TorchServe, whose model answers when it is told to."""

import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import TorchServe, fresh_state
from rvae.serving.unix_http import UnixSession
from tests.support.processes import worker_pids
from tests.support.waiting import wait_for

# Answers with the size of the batch. A body names a file, and is answered when that exists.
HANDLER = """
import json, pathlib, sys, time

class Gate:
    def initialize(self, context):
        self.sizes = []

    def handle(self, data, context):
        if context.get_request_header(0, "describe") == "True":
            return [json.dumps({"example": {"gate": "/"}, "torch": "torch" in sys.modules})]
        self.sizes.append(len(data))
        for item in data:
            gate = pathlib.Path(json.loads(item["body"])["gate"])
            while not gate.exists():
                gate.with_suffix(".reached").touch()
                time.sleep(0.01)
        return [json.dumps(self.sizes[-1])] * len(data)
"""
# Whoever waited for others would wait for longer than any test.
SETTINGS = "batchSize: 32\nmaxBatchDelay: 3600000\n"


@pytest.fixture(scope="module")
def gate_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    store = tmp_path_factory.mktemp("gates")
    model = {
        "modelName": "gate",
        "modelVersion": "1.0",
        "handler": "gate.py",
        "configFile": "settings.yaml",
    }
    with zipfile.ZipFile(store / "gate.mar", "w") as archive:
        archive.writestr("gate.py", HANDLER)
        archive.writestr("settings.yaml", SETTINGS)
        manifest = {"archiverVersion": "0.12.0", "runtime": "python", "model": model}
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps(manifest))
    logs = tmp_path_factory.mktemp("logs")
    with TorchServe(store, fresh_state(list_archives(store), 1).registrations, logs) as running:
        running.wait_until_ready(120)
        yield running


def ask(server: TorchServe, gate: Path) -> int:
    """The size of the batch in which a request for a gate is answered."""
    address = "http://localhost/predictions/gate"
    with UnixSession(server.inference) as client:
        return int(client.post(address, json={"gate": str(gate)}, timeout=60).text)


def pending(server: TorchServe) -> int:
    """Requests that wait for the worker."""
    return int(registered(server)["jobQueueStatus"]["pendingRequests"])


def registered(server: TorchServe, **options: str) -> dict[str, Any]:
    """What the server says of its model."""
    with UnixSession(server.management) as client:
        (model,) = client.get("http://localhost/models/gate", params=options, timeout=30).json()
    return model


def test_a_request_waits_for_no_other_and_those_that_come_meanwhile_run_together(
    gate_server: TorchServe, tmp_path: Path
) -> None:
    assert ask(gate_server, tmp_path) == 1  # the folder exists: the gate is open
    closed = tmp_path / "gate.open"
    with ThreadPoolExecutor(41) as pool:
        first = pool.submit(ask, gate_server, closed)
        wait_for(closed.with_suffix(".reached").exists)
        others = [pool.submit(ask, gate_server, closed) for _ in range(40)]
        wait_for(lambda: pending(gate_server) == 40)
        closed.touch()
        assert first.result() == 1
        assert sorted(other.result() for other in others) == [8] * 8 + [32] * 32


def test_the_worker_has_not_imported_torch(gate_server: TorchServe) -> None:
    assert registered(gate_server, customized="true")["customizedMetadata"]["torch"] is False
    (pid,) = worker_pids(gate_server)
    assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()


def test_the_machine_is_measured_all_the_same(gate_server: TorchServe) -> None:
    with UnixSession(gate_server.metrics) as client:
        wait_for(
            lambda: "CPUUtilization" in client.get("http://localhost/metrics", timeout=30).text
        )
