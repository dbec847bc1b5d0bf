"""Where a server listens."""

from pathlib import Path

import psutil

from tests.support.processes import worker_pids
from tests.support.servers import Server


def test_it_listens_on_its_own_sockets_and_on_no_port(server: Server) -> None:
    for pid in (server.pid, *worker_pids(server)):
        assert psutil.Process(pid).net_connections("inet") == []
    unix = psutil.Process(server.pid).net_connections("unix")
    listening = {Path(connection.laddr) for connection in unix if connection.laddr}
    assert listening >= {server.inference, server.management, server.metrics}
