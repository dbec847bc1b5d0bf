"""Where a server listens."""

from pathlib import Path

import psutil

from rvae.serving.torchserve import Endpoint
from tests.support.processes import worker_pids


def test_it_listens_on_its_own_sockets_and_on_no_port(server: Endpoint) -> None:
    running = server.torchserve
    for pid in (running.pid, *worker_pids(server)):
        assert psutil.Process(pid).net_connections("inet") == []
    unix = psutil.Process(running.pid).net_connections("unix")
    listening = {Path(connection.laddr) for connection in unix if connection.laddr}
    assert listening >= {running.inference, running.management, running.metrics}
