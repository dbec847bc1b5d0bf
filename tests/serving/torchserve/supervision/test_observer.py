"""What is asked of a management that answers, hangs, and answers again."""

import http.server
import json
import socketserver
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from rvae.serving.torchserve.supervision.observer import Observer
from tests.serving.torchserve.test_registrations import described
from tests.support.waiting import wait_for


class Management(socketserver.ThreadingUnixStreamServer):
    """TorchServe's management, with one version; it answers while `open` is set."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answer)
        self.open = Event()
        self.open.set()
        self.told: list[str] = []
        self.model = described("1.0", (7, "READY"))


class Answer(http.server.BaseHTTPRequestHandler):
    server: Management

    def do_GET(self) -> None:
        self.server.told.append(self.path)
        self.server.open.wait()
        if self.path.startswith("/models?"):
            self.answer({"models": [{"modelName": "toy", "modelUrl": "toy-1.0.mar"}]})
        else:
            self.answer([self.server.model])

    def do_PUT(self) -> None:
        self.server.told.append(self.path)
        self.answer({})

    def answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def management() -> Iterator[Management]:
    with (
        tempfile.TemporaryDirectory(prefix="rvae-test-") as folder,
        Management(Path(folder) / "management.sock") as server,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.open.set()
        server.shutdown()


@pytest.fixture
def observer(management: Management) -> Iterator[Observer]:
    observed = Observer(Path(str(management.server_address)))
    yield observed
    management.open.set()
    observed.close()


def test_it_asks_again_and_again_and_at_once_when_something_changed(
    management: Management, observer: Observer
) -> None:
    wait_for(lambda: observer.answers == 1)
    (one,) = observer.registrations
    assert (one.key, one.ready) == (("toy", "1.0"), {7})
    management.model = described("1.0", (8, "READY"))
    wait_for(lambda: observer.answers == 2)
    assert observer.registrations == (one,)  # nothing seemed to have changed
    observer.look()
    wait_for(lambda: observer.registrations[0].ready == {8})


def test_it_counts_no_answer_of_a_management_that_hangs(
    management: Management, observer: Observer
) -> None:
    wait_for(lambda: observer.answers == 1)
    management.open.clear()
    asked = len(management.told)
    wait_for(lambda: len(management.told) >= asked + 3)  # each on a connection of its own
    answers = observer.answers
    assert answers <= 2  # one may have been under way
    management.open.set()
    wait_for(lambda: observer.answers > answers)


def test_it_has_workers_started_before_it_asks_what_is_served(
    management: Management, observer: Observer
) -> None:
    wait_for(lambda: observer.answers == 1)
    before = len(management.told)
    observer.restart(observer.registrations[0])
    wait_for(lambda: observer.answers == 2)
    assert management.told[before:] == [
        "/models/toy/1.0?min_worker=0&max_worker=0",
        "/models/toy/1.0?min_worker=2&max_worker=3",
        "/models?limit=1000",
        "/models/toy/all",
    ]
