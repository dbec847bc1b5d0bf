"""The metrics of the proxy: its nginx without the rest of it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from rvae.serving.ports import LOOPBACK, bound_socket
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

__all__ = ["CERTIFICATE_EXPIRES", "ProxyMetrics", "proxy_metrics"]

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


class ProxyMetrics:
    """A running nginx that counts.

    Args:
        clients: Address for clients.
        metrics: Address of the metrics.
    """

    def __init__(self, clients: str, metrics: str) -> None:
        self._clients = clients
        self.metrics = f"http://{metrics}/metrics"

    def ask(self, path: str, client: str = "") -> int:
        """Ask as a client; the status. `/ok` is answered, all else is 502."""
        headers = {"X-Client": client} if client else {}
        return requests.get(
            f"http://{self._clients}{path}", headers=headers, timeout=10
        ).status_code


@contextmanager
def proxy_metrics(folder: Path) -> Iterator[ProxyMetrics]:
    """Run it; what it needs is written to a folder."""
    with bound_socket(LOOPBACK, 0) as first, bound_socket(LOOPBACK, 0) as second:
        clients, metrics = (f"{LOOPBACK}:{one.getsockname()[1]}" for one in (first, second))
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
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)]) as process:
        found = ProxyMetrics(clients, metrics)
        try:
            wait_for(lambda: _answers(found.metrics))
            yield found
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.ConnectionError:
        return False
