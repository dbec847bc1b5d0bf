"""The metrics of the proxy: its nginx without the rest of it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from rvae.serving.ports import LOOPBACK, bound_socket
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

__all__ = ["CERTIFICATE_EXPIRES", "ProxyMetrics", "can_count", "proxy_metrics"]

CERTIFICATE_EXPIRES = 4_000_000_000  # seconds since 1970
MODULES = Path("/usr/lib/nginx/modules")
# The names of clients come with keys; here a header has them. No server answers behind it.
CONFIG = """
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
daemon off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    map $http_x_client $client {{ default $http_x_client; }}
    include metrics.conf;
    server {{
        listen {clients};
        location /ok {{ return 200; }}
        location / {{ proxy_pass http://127.0.0.1:1; }}
    }}
}}
"""


def can_count() -> bool:
    """Whether nginx and what it needs are installed."""
    return shutil.which("nginx") is not None and (MODULES / "ngx_http_lua_module.so").exists()


class ProxyMetrics:
    """An nginx that counts.

    Args:
        folder: For its files.

    Attributes:
        metrics: Address of the metrics.
    """

    def __init__(self, folder: Path) -> None:
        with bound_socket(LOOPBACK, 0) as first, bound_socket(LOOPBACK, 0) as second:
            clients, metrics = (f"{LOOPBACK}:{one.getsockname()[1]}" for one in (first, second))
        self.metrics = f"http://{metrics}/metrics"
        self._clients = f"http://{clients}"
        proxy = ROOT / "docker" / "proxy"
        text = (proxy / "nginx" / "metrics.conf").read_text()
        for name, value in (
            ("HOME", proxy),
            ("METRICS_LISTEN", metrics),
            ("CERTIFICATE_EXPIRES", CERTIFICATE_EXPIRES),
        ):
            text = text.replace(f"@{name}@", str(value))
        (folder / "metrics.conf").write_text(text)
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(modules=MODULES, clients=clients))
        self._command = ["nginx", "-p", str(folder), "-c", str(config)]

    def start(self) -> None:
        """Run it; it can be run again."""
        self._process = subprocess.Popen(self._command)
        wait_for(self._answers)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def ask(self, path: str, client: str = "") -> int:
        """Ask as a client; the status. `/ok` is answered, all else is 502."""
        headers = {"X-Client": client} if client else {}
        return requests.get(f"{self._clients}{path}", headers=headers, timeout=10).status_code

    def _answers(self) -> bool:
        try:
            return requests.get(self.metrics, timeout=1).ok
        except requests.ConnectionError:
            return False


@contextmanager
def proxy_metrics(folder: Path) -> Iterator[ProxyMetrics]:
    """Run it meanwhile; what it needs is written to a folder."""
    proxy = ProxyMetrics(folder)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
