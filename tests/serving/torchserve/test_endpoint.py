"""The whole of it: what clients and the operator of a server see."""

import json
import os
import signal
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests

from rvae.errors import FieldError
from rvae.serving.model_store import list_archives
from rvae.serving.private_socket import PrivateSocket
from rvae.serving.torchserve import Endpoint, fresh_state
from rvae.serving.torchserve.scratch import LOCK, Scratch
from rvae.serving.torchserve.state import defaults
from rvae.serving.torchserve.state_file import StateFile, read_state
from rvae.serving.unix_http import UnixSession
from rvae.serving.versions.rollback import RollbackOptions, rollback
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps
from tests.support.processes import worker_pids
from tests.support.waiting import wait_for


def body_of(window: np.ndarray) -> str:
    return json.dumps({"data": window.tolist()})


def predict(server: Endpoint, body: str) -> requests.Response:
    return requests.post(f"{server.url}/predictions/waves", data=body, timeout=60)


def test_a_form_of_curl_is_read_as_what_it_holds(server: Endpoint, fresh: list[np.ndarray]) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url, body = f"{server.url}/predictions/waves", body_of(fresh[0])
    assert requests.post(url, data=body, headers=form, timeout=60).json()["is_anomaly"] == [False]
    wrong = requests.post(url, data="a=1&b=2", headers=form, timeout=60)
    assert wrong.status_code == 400 and "Content-Type: application/json" in wrong.json()["message"]


def test_a_model_that_is_not_served_is_named_in_the_form_of_the_contract(
    server: Endpoint, fresh: list[np.ndarray]
) -> None:
    answer = requests.post(f"{server.url}/predictions/other", data="{}", timeout=60)
    assert (answer.status_code, answer.json()["field"]) == (404, "model")
    assert "other" in answer.json()["message"]


def test_management_is_for_this_user_and_not_for_web_pages(server: Endpoint) -> None:
    assert stat.S_IMODE(server.management.stat().st_mode) == 0o600
    with UnixSession(server.management) as manager:
        models = manager.get("http://localhost/models", timeout=30)
        assert [model["modelName"] for model in models.json()["models"]] == ["waves"]
        page = manager.get(
            "http://localhost/models", headers={"Origin": "http://elsewhere"}, timeout=30
        )
        assert page.status_code == 403
    for path in ("models", "metrics", "workflows"):
        assert requests.get(f"{server.url}/{path}", timeout=30).status_code == 404
    base = server.metrics.removesuffix("/metrics")
    assert requests.get(f"{base}/models", timeout=30).status_code == 404
    assert "ts_inference_requests_total" in requests.get(server.metrics, timeout=30).text


def test_a_taken_port_is_said(server: Endpoint, store: Path, tmp_path: Path) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(FieldError) as caught:
        Endpoint(fresh_state(list_archives(store), 1), tmp_path / "logs", port=port)
    assert caught.value.field == "port"


def test_a_folder_is_locked_by_java_and_removed_by_the_next_server_where_nobody_does(
    server: Endpoint, store: Path, tmp_path: Path
) -> None:
    used, left = server.torchserve.scratch, Scratch()
    opened = {one.path for one in psutil.Process(server.torchserve.pid).open_files()}
    assert str(used / LOCK) in opened
    left.lock.close()
    with Endpoint(fresh_state(list_archives(store), 1), tmp_path / "logs"):
        assert used.exists() and not left.path.exists()


def test_requests_outlive_a_worker(server: Endpoint, fresh: list[np.ndarray]) -> None:
    """Also those that it had."""
    body, before = body_of(fresh[0]), worker_pids(server)
    expected = predict(server, body).json()
    is_over = threading.Event()

    def ask() -> list[requests.Response]:
        answers = []
        while not is_over.is_set():
            answers.append(predict(server, body))
        return answers

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(worker_pids(server) - before) == len(before))
        assert predict(server, body).ok
        is_over.set()
        answers = [answer for one in asked for answer in one.result()]
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert answer.json()["score"] == pytest.approx(expected["score"], rel=1e-4)
    wait_for(lambda: requests.get(f"{server.url}/ping", timeout=30).ok)


def test_who_asks_before_anything_is_ready_is_told_so_at_once(
    store: Path, tmp_path: Path, fresh: list[np.ndarray]
) -> None:
    archives = [one for one in list_archives(store) if one.version == "1.0"]
    body = body_of(fresh[0])

    def status(endpoint: Endpoint, path: str) -> int:
        with suppress(requests.ConnectionError):  # it does not listen yet
            return requests.get(f"{endpoint.url}{path}", timeout=30).status_code
        return 0

    with (
        ThreadPoolExecutor(1) as pool,
        Endpoint(fresh_state(archives, 1), tmp_path / "logs") as endpoint,
    ):
        starting = pool.submit(endpoint.start)
        wait_for(lambda: status(endpoint, "/v2/health/live") == 200)
        early = predict(endpoint, body)
        assert not starting.done()
        assert (early.status_code, early.headers["retry-after"]) == (503, "1")
        assert early.json()["field"] == "server" and "is starting" in early.json()["message"]
        paths = ("/ping", "/v2/health/ready", "/v2/models/waves/ready")
        assert [status(endpoint, path) for path in paths] == [503] * 3
        starting.result()
        assert predict(endpoint, body).ok
        assert [status(endpoint, path) for path in paths] == [200] * 3


def test_what_was_asked_is_answered_before_the_end(
    store: Path, tmp_path: Path, fresh: list[np.ndarray]
) -> None:
    archives = [one for one in list_archives(store) if one.version == "1.0"]
    with Endpoint(fresh_state(archives, 1), tmp_path / "logs") as endpoint:
        endpoint.start()
        java = psutil.Process(endpoint.torchserve.pid)
        family = [java, *java.children(recursive=True)]
        scratch, management = endpoint.torchserve.scratch, endpoint.management
        sample = json.dumps({"task": "sample", "count": 3000})
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(predict, endpoint, sample) for _ in range(8)]
            wait_for(lambda: sum(one.running() for one in asked) == 8)
            wait_for(lambda: endpoint._gateway._connections.busy == 8)
            assert endpoint.stop() == 0
            assert [one.result().status_code for one in asked] == [200] * 8
        assert not psutil.wait_procs(family, timeout=20)[1]
        assert not scratch.exists() and not management.exists()
        with pytest.raises(requests.ConnectionError):
            predict(endpoint, body_of(fresh[0]))


def test_two_share_their_state_and_are_changed_together(store: Path, short_folder: Path) -> None:
    sockets, folder = short_folder / "sockets", short_folder / "state"

    def served(name: str) -> Endpoint:
        before, _ = read_state(folder, store)
        state = fresh_state(list_archives(store), 1).state
        kept = StateFile(before if before.registrations else state, store, folder, before)
        private = PrivateSocket(sockets / f"{name}.sock")
        return Endpoint(kept, short_folder / name, management=private)

    with served("a") as first, served("b") as second:
        for one in (first, second):
            one.start()
        servers = Servers(sockets)
        said: list[str] = []
        options = RollbackOptions("1.0", keep=True)
        rollback(servers, "waves", options, Steps(said.append))
        assert "2 servers: 1.0 in place of 1.10" in "".join(said)
        assert {one.name: one.state.models["waves"].default for one in servers.found()} == {
            "a": "1.0",
            "b": "1.0",
        }
        assert defaults(read_state(folder, store)[0].registrations) == {"waves": "1.0"}
        first.stop()
        assert [one.name for one in servers.found()] == ["b"]
