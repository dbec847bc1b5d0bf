"""A TorchServe process; it leaves no process behind when it stops."""

import ctypes
import importlib.resources
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests

from rvae.errors import require
from rvae.serving.integrity import TrustedKeys
from rvae.serving.model_store import Versioned
from rvae.serving.tickets import Tickets
from rvae.serving.torchserve.classes import Classes
from rvae.serving.torchserve.home import make_home
from rvae.serving.torchserve.java import JAVA_OPTIONS, java_command
from rvae.serving.torchserve.properties import property_line
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.scratch import Scratch
from rvae.serving.torchserve.snapshots import snapshot
from rvae.serving.torchserve.unready import UnreadyError
from rvae.serving.torchserve.worker_log import WorkerLog
from rvae.serving.unix_http import UnixSession

__all__ = ["TorchServe"]

POLL_SECONDS = 0.1
ANSWER_SECONDS = 5.0  # of management
STOP_SECONDS = 30.0
MAX_TICKETS = 4096  # requests at a time
PR_SET_PDEATHSIG = 1  # prctl(2)


class TorchServe:
    """A server with its own sockets, temporary folder and process group.

    It listens on no port, and nobody but its user can enter the folder of its sockets. It ends with
    the thread that starts it, so that no process is left if that is killed.

    Args:
        store: Folder of the archives. Others than those that are served can be registered later.
        registrations: What to serve.
        logs: Folder for logs.
        java_options: Further options of Java, on which its archive of classes does not depend.
        awaited: Those of the registrations that are to become ready; all that have workers if left
            out.
        trusted: Keys of which one must have signed an archive; any archive is served if None.
        counts: Folder in which workers count what they do; they do not if it is left out.

    Attributes:
        registrations: As given.
        awaited: As given.
        scratch: Folder of everything that ends with the server.
        inference: Socket of predictions.
        management: Socket that says which models are served, and takes others.
        metrics: Socket of the metrics.
        heartbeats: Folder of the workers' signs of life.
        tickets: Which requests are still wanted, for the workers.

    Raises:
        FieldError: If the path of the folder for temporary files is too long for sockets in it, or
            TorchServe is not 0.12.0, its last release.
    """

    def __init__(
        self,
        store: Path,
        registrations: Sequence[Registration],
        logs: Path,
        java_options: Sequence[str] = (),
        awaited: Sequence[Registration] | None = None,
        trusted: TrustedKeys | None = None,
        counts: Path | None = None,
    ) -> None:
        self.registrations = tuple(registrations)
        staffed = [one for one in registrations if one.min_workers]
        self.awaited = staffed if awaited is None else list(awaited)
        self._trusted = trusted
        self._logs = logs.resolve()
        self._logs.mkdir(parents=True, exist_ok=True)
        self._worker_log = WorkerLog(self._logs)
        self._scratch = Scratch()
        self.scratch = self._scratch.path
        self.inference = self.scratch / "inference.sock"
        self.management = self.scratch / "management.sock"
        self.metrics = self.scratch / "metrics.sock"
        self.heartbeats = self.scratch / "workers"
        self.heartbeats.mkdir()
        self._counts = counts
        self.tickets = Tickets(self.scratch / "tickets", MAX_TICKETS)
        self._predictions = UnixSession(self.inference)
        self._models = UnixSession(self.management)
        try:
            self._classes = Classes(java_command(), JAVA_OPTIONS, self.scratch)
            self._process = self._start(store, registrations, java_options)
        except BaseException:
            self._scratch.remove()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of Java, which leads the process group of the workers."""
        return self._process.pid

    def wait_until_ready(self, seconds: float) -> None:
        """Return when it listens, and every awaited version has answered a prediction.

        Raises:
            UnreadyError: If some do not load, or not in time; the others have answered.
            FieldError: If the server ends, or does not listen in time.
        """
        deadline = time.monotonic() + seconds
        waiting = list(self.awaited)
        failed: dict[Registration, str] = {}
        while waiting or not self._listens():
            ended = f"TorchServe ended: see {self._logs}/server.log"
            require(self._process.poll() is None, "server", ended)
            failed |= self._failures(waiting)
            if time.monotonic() > deadline:
                silent = f"TorchServe does not listen after {seconds:g} s: see {self._logs}"
                require(self._listens(), "server", silent)
                late = f"did not answer within {seconds:g} s: see {self._logs}"
                failed |= {one: late for one in waiting if one not in failed}
            waiting = [one for one in waiting if one not in failed and not self._is_ready(one)]
            if waiting or not self._listens():
                time.sleep(POLL_SECONDS)
        if failed:
            raise UnreadyError(failed)

    def prepare_next_start(self) -> None:
        """Let Java keep its classes, in the background, so that the next server starts faster."""
        self._classes.start_archiving(self.pid)

    def example(self, version: Versioned) -> dict[str, Any]:
        """A valid request body, from the model's own description."""
        return self._description(version)["example"]

    def wait(self) -> int:
        """Wait until the server ends by itself, and return its exit status."""
        return self._process.wait()

    def has_ended(self) -> bool:
        """Whether Java has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End Java and the workers at once, also if they hang; `stop` is still needed."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the server and its workers, first with SIGTERM."""
        try:
            if self._process.poll() is None:
                self._process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
        finally:
            self.kill()  # workers that outlived the server, or one that did not end in time
            self._process.wait()
            self._classes.wait()
            self._scratch.remove()
            for client in (self._predictions, self._models):
                client.close()

    def _start(
        self, store: Path, registrations: Sequence[Registration], java_options: Sequence[str]
    ) -> subprocess.Popen[bytes]:
        resources = importlib.resources.files("rvae_torchserve")
        names = ("config.properties", "log4j2.xml")
        base, logging = (Path(str(resources / name)) for name in names)
        settings = {
            "inference_address": f"unix:{self.inference}",
            "management_address": f"unix:{self.management}",
            "metrics_address": f"unix:{self.metrics}",
            # Archives of the store, and unpacked ones of this machine; by this user alone.
            "enable_model_api": "true",
            "model_store": store.resolve(),
            # With it TorchServe pays no regard to `load_models`.
            "model_snapshot": json.dumps(snapshot(registrations)),
            # Python would import modules from the archive before `worker.py` has checked it.
            "blacklist_env_vars": "PYTHONPATH",
        }
        config = self.scratch / "config.properties"
        # In a properties file the last value of a key counts.
        config.write_text(
            base.read_text()
            + "".join(property_line(name, value) for name, value in settings.items())
        )
        command = [
            str(java_command()),
            *JAVA_OPTIONS,
            *java_options,
            f"-Dmodel_server_home={make_home(self.scratch / 'home')}",
            f"-Djava.io.tmpdir={self.scratch}",
            f"-Dlog4j.configurationFile={logging.as_uri()}",
            *self._classes.options(),
            "org.pytorch.serve.ModelServer",
            *("--python", sys.executable),
            *("-f", str(config)),
            "-ncs",  # no snapshots: what is served is kept by `StateFile`
        ]
        environment = {
            **os.environ,
            "RVAE_WORKERS": str(max(1, sum(one.min_workers for one in registrations))),
            "RVAE_HEARTBEATS": str(self.heartbeats),
            "RVAE_TICKETS": str(self.scratch / "tickets"),
            "RVAE_METRICS": str(self._counts or ""),
            "RVAE_PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "TMPDIR": str(self.scratch),
            "LOG_LOCATION": str(self._logs),
            "METRICS_LOCATION": str(self._logs),
        }
        if self._trusted is not None:
            environment["RVAE_TRUSTED"] = self._trusted.text
        libc = ctypes.CDLL(None)
        # torchserve's own launcher leaves Java running when it is ended. So Java is started here in
        # its own process group, and receives a signal when this thread ends for any reason.
        return subprocess.Popen(
            command,
            cwd=self.scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
            pass_fds=[self._scratch.lock.fileno()],  # it may outlive this process for a moment
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        )

    def _listens(self) -> bool:
        # Without workers there is nobody to wait for, and it could be taken for ready before this.
        sockets = (self.inference, self.management, self.metrics)
        return all(path.exists() for path in sockets)

    def _failures(self, versions: Iterable[Registration]) -> dict[Registration, str]:
        """Those of some versions that do not load, and why, in words."""
        reasons = {one: self._worker_log.failure(f"{one.name}_{one.version}") for one in versions}
        return {one: f"does not load: {why}" for one, why in reasons.items() if why is not None}

    def _is_ready(self, version: Registration) -> bool:
        # Health of the server and state of the workers both report "ready" too early or too late;
        # an answer to a real request does not.
        try:
            address = f"http://localhost/models/{version.name}/all"
            models = self._models.get(address, timeout=ANSWER_SECONDS).json()
            workers = [
                worker
                for model in models
                if model["modelVersion"] == version.version
                for worker in model["workers"]
            ]
            if not workers or any(worker["status"] != "READY" for worker in workers):
                return False
            answer = self._predictions.post(
                f"http://localhost/predictions/{version.name}/{version.version}",
                json=self.example(version),
                timeout=30,
            )
        except (requests.RequestException, ValueError, KeyError, TypeError):
            return False
        return answer.ok

    def _description(self, version: Versioned) -> dict[str, Any]:
        address = f"http://localhost/models/{version.name}/{version.version}"
        (model,) = self._models.get(address, params={"customized": "true"}, timeout=30).json()
        described = model["customizedMetadata"]
        return json.loads(described) if isinstance(described, str) else described
