"""Where a TorchServe listens, with the changed class and without it."""

from pathlib import Path

import psutil
import pytest

from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import TorchServe
from tests.support.processes import worker_pids
from tests.support.servers import Server


def ports(server: TorchServe) -> list[str]:
    """Addresses of TCP and UDP of Java and of its workers."""
    return [
        connection.laddr.ip.removeprefix("::ffff:")
        for pid in (server.pid, *worker_pids(server))
        for connection in psutil.Process(pid).net_connections("inet")
    ]


def test_it_listens_on_its_own_sockets_and_on_no_port(server: Server) -> None:
    assert ports(server) == []
    unix = psutil.Process(server.pid).net_connections("unix")
    listening = {Path(connection.laddr) for connection in unix if connection.laddr}
    assert listening >= {server.inference, server.management, server.metrics}


def test_a_torchserve_that_is_not_known_serves_too_and_has_grpc_on_loopback(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(
        "rvae.serving.torchserve.changed_class.ChangedClass.of", lambda self, jar: None
    )
    with TorchServe(list_archives(store)[:1], 1, tmp_path / "logs") as stock:
        stock.wait_until_ready(60)
        assert ports(stock) == ["127.0.0.1", "127.0.0.1"]
