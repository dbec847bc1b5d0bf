"""The proxy of `docker/proxy`, run by the nginx of this machine."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.exchanges import speak
from tests.support.paths import ROOT
from tests.support.served_process import free_ports
from tests.support.waiting import wait_for

__all__ = ["KEY", "MODULES", "Answer", "Proxy", "key_line", "proxy", "require_nginx"]

BIN = ROOT / "docker" / "proxy" / "bin"
MODULES = Path("/usr/lib/nginx/modules")
NEEDED = ("ndk_http_module.so", "ngx_http_lua_module.so", "ngx_stream_module.so")
# What a client sends, and what the proxy knows of it.
KEY = "rvae_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
PATIENCE = 20.0  # seconds, after which something hangs


class Answer(NamedTuple):
    """What a client is answered; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        """Status and field of an error in the form of the contract."""
        content = json.loads(self.body)
        assert set(content) == {"code", "message", "field"} and content["code"] == self.status
        return self.status, content["field"]


def require_nginx() -> None:
    """Skip a test where this machine cannot run the proxy."""
    there = shutil.which("nginx") and shutil.which("openssl")
    if not there or not all((MODULES / name).exists() for name in NEEDED):
        pytest.skip("needs Debian's nginx-light, libnginx-mod-http-lua, -stream, and openssl")


def key_line(name: str, key: str) -> str:
    """A line of the file of keys."""
    return f"{name} {sha256(key.encode()).hexdigest()}\n"


class Proxy:
    """A proxy, its files, and what clients ask it.

    Args:
        folder: An empty folder.
        server: Host and port of what is behind it.
        settings: More variables of its environment.
    """

    def __init__(
        self, folder: Path, server: str, settings: Mapping[str, object] | None = None
    ) -> None:
        self.port = free_ports()
        self.certificates = folder / "certificates"
        self.keys = folder / "keys"
        self.log = folder / "requests.log"
        self.printed = folder / "printed.txt"
        self.certificates.mkdir()
        self.keys.write_text(key_line("alice", KEY))
        pages = folder / "pages"
        shutil.copytree(ROOT / "docker" / "proxy" / "docs", pages / "docs")
        shutil.copy(ROOT / "docs" / "openapi.yaml", pages)
        self.environment = {
            **os.environ,
            "SERVER": server,
            "LISTEN": f"127.0.0.1:{self.port}",
            "METRICS_LISTEN": f"127.0.0.1:{self.port + 1}",
            "KEYS": str(self.keys),
            "CERTIFICATES": str(self.certificates),
            "PAGES": str(pages),
            "TEMP": str(folder / "temp"),
            "RUN": str(folder / "run"),
            "ACCESS_LOG": str(self.log),
            "WATCH_SECONDS": "3600",  # tests reload it themselves
            **{name: str(value) for name, value in (settings or {}).items()},
        }
        (folder / "temp").mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """Its address as clients know it."""
        return f"https://localhost:{self.port}"

    @property
    def metrics(self) -> str:
        """Address of its metrics."""
        return f"http://127.0.0.1:{self.port + 1}/metrics"

    @property
    def trusted(self) -> Path:
        """The certificate."""
        return self.certificates / "server.crt"

    def start(self) -> None:
        """Start it, and return when it listens."""
        with self.printed.open("ab") as printed:
            self._process = subprocess.Popen(
                [BIN / "start"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

        pid = Path(self.environment["RUN"]) / "nginx.pid"

        def listens() -> bool:
            assert self._process and self._process.poll() is None, self.text()
            # A test of the configuration listens, too, and leaves an empty file.
            return pid.exists() and pid.read_text() == f"{self._process.pid}\n"

        wait_for(listens)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)

    def refuse_to_start(self) -> str:
        """What it says when it does not start."""
        done = self.run("start")
        assert done.returncode != 0
        return done.stderr

    def reload(self) -> str:
        """Have it take what is in its files; what it says. Fails if it did not."""
        done = self.run("reload")
        assert done.returncode == 0, done.stderr
        return done.stderr

    def refuse_to_reload(self) -> str:
        """What it says when it does not take what is in its files."""
        done = self.run("reload")
        assert done.returncode != 0
        return done.stderr

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one of its commands."""
        return subprocess.run(
            [BIN / command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def text(self) -> str:
        """What it has printed."""
        return self.printed.read_text()

    def logged(self) -> list[dict[str, Any]]:
        """Its access log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def tls(self) -> ssl.SSLContext:
        """What a client that trusts it speaks TLS with."""
        return ssl.create_default_context(cafile=str(self.trusted))

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection over TLS."""
        plain = socket.create_connection(self.address, PATIENCE)
        return (context or self.tls()).wrap_socket(plain, server_hostname="localhost")

    def ask(
        self,
        path: str = "/predictions/m",
        body: bytes | Iterator[bytes] | None = b"{}",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        key: str | None = KEY,
    ) -> Answer:
        """The answer to a request on a connection of its own; an iterator is sent in chunks."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key}")
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=PATIENCE, context=self.tls()
        )
        with closing(connection):
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            content = response.read()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, content)

    def speak(self, said: bytes, quiet: float = PATIENCE) -> tuple[bytes, bool]:
        """Send bytes as they are; see `exchanges.speak`."""
        return speak(self.address, said, quiet, self.tls())


@contextmanager
def proxy(folder: Path, server: tuple[str, int] | str, **settings: object) -> Iterator[Proxy]:
    """A proxy in front of a server, as long as the context lasts."""
    require_nginx()
    name = server if isinstance(server, str) else f"{server[0]}:{server[1]}"
    found = Proxy(folder, name, settings)
    try:
        found.start()
        yield found
    finally:
        found.stop()
