"""What a supervisor sees of a TorchServe, without Java: a management, and workers that live.

Run as a program it stands for Java: with a worker for every version, that it starts again when it
has ended, as long as the file of the version exists.
"""

import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from rvae.errors import FieldError
from rvae.serving.heartbeat import Heartbeat
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.unready import UnreadyError

__all__ = ["FakeTorchServe"]

NUMBERS = {"batchSize": 1, "maxBatchDelay": 1, "responseTimeout": 60, "startupTimeout": 60}


class FakeTorchServe:
    """In place of a TorchServe: `rvae.serving.torchserve.supervision.watch.Server`.

    Args:
        registrations: What is served.
        awaited: Those of them that have to become ready.
        unready: Versions that do not.
    """

    def __init__(
        self,
        registrations: Sequence[Registration],
        awaited: Sequence[Registration],
        unready: Collection[str] = (),
    ) -> None:
        self._failures = {one: "does not load" for one in awaited if one.version in unready}
        self.registrations = tuple(registrations)
        self.awaited = list(awaited)
        self.scratch = Path(tempfile.mkdtemp(prefix="rvae-fake-"))
        self.heartbeats = self.scratch / "workers"
        self.inference = self.scratch / "inference.sock"
        self.management = self.scratch / "management.sock"
        self.metrics = self.scratch / "metrics.sock"
        for folder in (self.heartbeats, self.scratch / "home"):
            folder.mkdir()
        (self.scratch / "home" / "worker.py").touch()
        served = [one.key for one in registrations]
        for name, version in served:
            model = self.scratch / "models" / f"{name}-{version}"
            model.mkdir(parents=True)
            (model / "weights").touch()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.scratch), json.dumps(served)],
            start_new_session=True,
        )
        self.stopped = False

    @property
    def pid(self) -> int:
        """Of what stands for Java."""
        return self._process.pid

    def worker(self, version: str) -> int:
        """Process id of the worker of a version; 0 if it has none that is ready."""
        with suppress(OSError, ValueError):
            return int((self.scratch / f"{version}.pid").read_text())
        return 0

    def has_ended(self) -> bool:
        """Whether Java has ended."""
        return self._process.poll() is not None

    def wait_until_ready(self, seconds: float) -> None:
        """Return when there is a worker of every version."""
        deadline = time.monotonic() + seconds
        while not all(self.worker(one.version) for one in self.awaited):
            if self.has_ended() or time.monotonic() > deadline:
                raise FieldError("server", "it is not ready")
            time.sleep(0.02)
        if self._failures:
            raise UnreadyError(self._failures)

    def kill(self) -> None:
        """End Java and the workers at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it, and remove its folder."""
        self.stopped = True
        self.kill()
        self._process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


class _Management(http.server.BaseHTTPRequestHandler):
    scratch: Path
    served: list[tuple[str, str]]

    def do_GET(self) -> None:
        if self.path.startswith("/models?"):
            defaults = dict(reversed(self.served))
            files = [
                {"modelName": name, "modelUrl": f"{name}-{version}.mar"}
                for name, version in defaults.items()
            ]
            self._answer({"models": files})
        else:
            name = self.path.split("/")[2]
            self._answer([self._described(*one) for one in self.served if one[0] == name])

    def do_PUT(self) -> None:
        with (self.scratch / "told").open("a") as told:
            told.write(f"{self.path}\n")
        self._answer({})

    def log_message(self, *arguments: object) -> None: ...

    def _described(self, name: str, version: str) -> dict[str, object]:
        worker = self.scratch / f"{version}.pid"
        workers = [{"pid": int(worker.read_text()), "status": "READY"}] if worker.exists() else []
        url = f"{name}-{version}.mar"
        own = {"modelName": name, "modelVersion": version, "modelUrl": url}
        return {**own, **NUMBERS, "minWorkers": 1, "maxWorkers": 1, "workers": workers}

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Sockets(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def _keep_worker(scratch: Path, name: str, version: str) -> None:
    """Run worker after worker, until the version's file is gone."""
    model = scratch / "models" / f"{name}-{version}"
    told = scratch / f"{version}.pid"
    while (model / "weights").exists():
        command = [sys.executable, __file__, str(scratch / "workers"), str(told)]
        subprocess.run(command, cwd=model)
        told.unlink(missing_ok=True)


def _work(heartbeats: Path, told: Path) -> None:
    Heartbeat(heartbeats)
    unfinished = told.with_suffix(".unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.replace(told)
    while True:
        signal.pause()


def _run(scratch: Path, served: list[tuple[str, str]]) -> None:
    for name in ("inference", "metrics"):
        (scratch / f"{name}.sock").touch()
    for one in served:
        Thread(target=_keep_worker, args=(scratch, *one), daemon=True).start()
    _Management.scratch, _Management.served = scratch, served
    with _Sockets(str(scratch / "management.sock"), _Management) as server:
        server.serve_forever()


if __name__ == "__main__":
    if sys.argv[2].startswith("["):
        _run(Path(sys.argv[1]), [(name, version) for name, version in json.loads(sys.argv[2])])
    else:
        _work(Path(sys.argv[1]), Path(sys.argv[2]))
