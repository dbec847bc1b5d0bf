"""SIGTERM: what has been asked for is answered."""

import http.client
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

from tests.support.exchanges import PATIENCE, posted
from tests.support.fault_models import MODERATE, PATH
from tests.support.outages import honest
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

IN_FLIGHT = 80


@pytest.mark.parametrize("stop", range(5))
def test_requests_in_flight_are_answered(served: ServedProcess, stop: int) -> None:
    below = served.below()
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(served.address, PATIENCE))
            for _ in range(IN_FLIGHT)
        ]
        for connection in connections:
            connection.sendall(posted(PATH, MODERATE))
        # The first answer is there: the server has read at least one, and has others to do.
        connections[0].recv(1, socket.MSG_PEEK)
        served.process.send_signal(signal.SIGTERM)
        statuses = [status_of(connection) for connection in connections]
    assert statuses == [200] * IN_FLIGHT
    assert served.process.wait(PATIENCE) == 0
    assert not psutil.wait_procs(below, 5)[1]


def test_idle_connections_do_not_delay_the_end(served: ServedProcess) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(served.address, PATIENCE))
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(15) == 0


def test_nothing_of_a_killed_server_stays(busy_store: Path, tmp_path: Path) -> None:
    with ServedProcess(busy_store, tmp_path) as served:
        with honest(served):
            below = served.below()
        served.process.kill()
        assert not psutil.wait_procs(below, 30)[1]


def status_of(connection: socket.socket) -> int:
    """Status of the answer on a connection; 0 if it was closed without one."""
    with closing(http.client.HTTPResponse(connection)) as response:
        try:
            response.begin()
            response.read()
        except (OSError, http.client.HTTPException):
            return 0
        return response.status
