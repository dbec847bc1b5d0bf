"""A management socket without a server: versions that answer what a test says."""

import http.server
import json
import re
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rvae.serving.model_store import read_archive

__all__ = ["FakeManagement", "FakeVersion", "fake_management"]

SHARED = ("canary", "shadow")


@dataclass
class FakeVersion:
    """A version that is served.

    Attributes:
        file: Its archive in the store.
        workers: That it shall have.
        polls: How often it is asked for before its workers are ready; -1 is never.
        answers: Of its predictions: a status and a content in JSON, for a body.
    """

    file: str
    workers: int = 1
    polls: int = 0
    answers: Callable[[bytes], tuple[int, Any]] = lambda body: (200, {})


@dataclass
class FakeManagement:
    """What the socket tells, and what was asked of it.

    Attributes:
        folder: Of store, logs and socket, where nothing else is said.
        at: Place of the socket.
        shared_store: Folder of archives.
        name: Of the only model.
        versions: That are served.
        default: Among them; "" if there are none.
        earlier: The defaults before, the latest last.
        coming: What becomes of versions that are registered, by their names.
        asked: Methods and paths of requests that change something, in order.
        busy: How many of the next requests are answered 503.
        unheard: Whether what is answered so is done all the same.
        unwilling: Whether changes are refused.
        metrics: Answers by version and status.
        on: Called before a request is answered, with its method and path.
        traffic: Requests that can be recorded.
        description: Of every version.
        reasons: Why it is not healthy.
        deaths: Versions whose workers ended, and why, in order.
        end: Ends it as kill -9 does: the socket stays, and nobody answers.
    """

    folder: Path
    at: Path | None = None
    shared_store: Path | None = None
    name: str = "waves"
    versions: dict[str, FakeVersion] = field(default_factory=dict)
    default: str = ""
    earlier: list[str] = field(default_factory=list)
    shares: dict[str, tuple[str, float]] = field(default_factory=dict)
    coming: dict[str, FakeVersion] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    busy: int = 0
    unheard: bool = False
    unwilling: bool = False
    metrics: dict[tuple[str, int], int] = field(default_factory=dict)
    on: Callable[[str, str], None] = lambda method, path: None
    traffic: list[dict[str, Any]] = field(default_factory=list)
    description: dict[str, Any] = field(default_factory=lambda: {"card": {"window": 64}})
    reasons: tuple[str, ...] = ()
    deaths: list[tuple[str, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    end: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for folder in (self.store, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def store(self) -> Path:
        """Folder of archives."""
        return self.shared_store or self.folder / "store"

    @property
    def logs(self) -> Path:
        """Folder of logs."""
        return self.folder / "logs"

    @property
    def socket(self) -> Path:
        """The socket."""
        return self.at or self.logs / "management.sock"

    @property
    def changes(self) -> list[str]:
        """What was changed, without what only asks."""
        return [one for one in self.asked if not one.startswith("GET")]

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """The answer to a request."""
        url = urlsplit(target)
        path, query = url.path, dict(parse_qsl(url.query))
        self.on(method, path)
        with self.lock:
            if not path.startswith("/predictions"):
                self.asked.append(f"{method} {target}")
            busy, self.busy = self.busy > 0, max(0, self.busy - 1)
        if busy and not self.unheard:
            return 503, {"message": "is being replaced: try again"}
        found = self._answered(method, path, query, body)
        return (503, {"message": "is being replaced: try again"}) if busy else found

    def _answered(
        self, method: str, path: str, query: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        if path == "/server":
            return 200, self._server()
        if path == "/ping":
            return (503 if self.reasons else 200), {"reasons": self.reasons}
        if path == "/metrics":
            return 200, self._metrics()
        if method == "POST" and path == "/models":
            return self._register(query)
        if path.endswith("/traffic"):
            return 200, {"requests": self.traffic[: int(query["requests"])]}
        found = re.fullmatch(r"/(models|predictions)/(\w+)/?([\w.]*)/?([\w-]*)", path)
        assert found is not None, path
        kind, name, version, verb = found.groups()
        if verb == "failure":
            return self._failure(name, version, query)
        if name != self.name or not self.versions:
            return 404, {"message": f"{name} is not served"}
        if kind == "predictions":
            return self.versions[version].answers(body)
        if method == "GET":
            return self._described(version)
        return self._changed(method, version, verb, query)

    def _changed(
        self, method: str, version: str, verb: str, query: dict[str, str]
    ) -> tuple[int, Any]:
        if version not in self.versions:
            return 404, {"message": f"{version} is not served"}
        if self.unwilling:
            return 409, {"message": f"{version} has no worker that is ready"}
        if method == "DELETE" and version == self.default and len(self.versions) > 1:
            return 403, {"message": "the default cannot be unregistered"}
        if method == "DELETE":
            del self.versions[version]
            self.default = self.default if self.versions else ""
        elif verb == "set-default":
            if self.earlier[-1:] == [version]:
                self.earlier.pop()
            else:
                self.earlier.append(self.default)
            self.default = version
        elif not verb:
            self.versions[version].workers = int(query["min_worker"])
        elif verb in SHARED:
            share = float(query["share"])
            self.shares.pop(verb, None)
            if share:
                self.shares[verb] = (version, share)
        return 200, {"status": "done"}

    def _register(self, query: dict[str, str]) -> tuple[int, Any]:
        version = read_archive(self.store / query["url"]).version
        if version in self.versions:
            return 409, {"message": "is registered already"}
        one = self.coming.get(version, FakeVersion(""))
        one.file, one.workers = query["url"], int(query["initial_workers"])
        self.versions[version] = one
        self.default = self.default or version
        return 200, {"status": "registered"}

    def _described(self, version: str) -> tuple[int, Any]:
        if version == "all":
            for one in self.versions.values():
                one.polls -= one.polls > 0
            return 200, [self._version(one) for one in self.versions]
        return 200, [self._version(version or self.default)]

    def _version(self, version: str) -> dict[str, Any]:
        one = self.versions[version]
        ready = "READY" if one.polls == 0 else "LOADING"
        return {
            "modelName": self.name,
            "modelVersion": version,
            "modelUrl": one.file,
            "minWorkers": one.workers,
            "maxWorkers": one.workers,
            "batchSize": 32,
            "maxBatchDelay": 1,
            "responseTimeout": 60,
            "startupTimeout": 60,
            "workers": [{"pid": 100 + i, "status": ready} for i in range(one.workers)],
            "customizedMetadata": self.description,
        }

    def _failure(self, name: str, version: str, query: dict[str, str]) -> tuple[int, Any]:
        end = len(self.deaths)
        since = int(query.get("since", end))
        reasons = [why for one, why in self.deaths[since:] if (name, one) == (self.name, version)]
        if not reasons and "since" in query and version not in self.versions:
            return 404, {"message": f"{version} is not served"}
        return 200, {"reason": reasons[-1] if reasons else None, "position": end}

    def _server(self) -> dict[str, Any]:
        shares = {
            kind: {"version": version, "share": share}
            for kind, (version, share) in self.shares.items()
        }
        previous = self.earlier[-1] if self.earlier else None
        model = {"default": self.default, "previous": previous, **shares}
        return {
            "store": str(self.store),
            "logs": str(self.logs),
            "predictions": "http://127.0.0.1:8080",
            "metrics": "http://127.0.0.1:8081/metrics",
            "models": {self.name: {**model, "versions": sorted(self.versions)}}
            if self.versions
            else {},
        }

    def _metrics(self) -> str:
        lines = ["# TYPE rvae_requests counter"]
        for (version, code), count in self.metrics.items():
            labels = f'model="{self.name}",version="{version}",code="{code}"'
            lines.append(f"rvae_requests_total{{{labels}}} {count}")
        return "\n".join(lines) + "\n"


@contextmanager
def fake_management(folder: Path, **state: Any) -> Iterator[FakeManagement]:
    """A socket that listens, in a folder with a short path."""
    fake = FakeManagement(folder, **state)

    class Handler(_Handler):
        management = fake

    with _Server(str(fake.socket), Handler) as server:

        def end() -> None:
            server.shutdown()
            server.server_close()

        fake.end = end
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield fake
        server.shutdown()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A test has ended it while it answered."""


class _Handler(http.server.BaseHTTPRequestHandler):
    management: FakeManagement
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None: ...

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, content = self.management.answer(self.command, self.path, body)
        said = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(said)
