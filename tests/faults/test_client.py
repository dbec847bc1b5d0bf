"""A client's work, while what answers it is killed again and again."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rvae.client import Client
from tests.support.fault_models import NAME
from tests.support.served_process import ServedProcess
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

STEPS, STRIDE = 100_000, 10
KILLS = 3


def wave() -> np.ndarray:
    """A series (N,) whose scoring takes over ten requests."""
    steps = np.arange(STEPS)
    return 20 + 2 * np.sin(steps / 9) + np.random.default_rng(0).normal(0, 0.1, STEPS)


def client_of(served: ServedProcess) -> Client:
    host, port = served.address
    return Client(f"http://{host}:{port}", NAME, timeout=180, connections=4)


def kill_java(served: ServedProcess) -> None:
    """Kill TorchServe, and wait for another one with a worker."""
    (java,) = served.javas()
    os.kill(java, signal.SIGKILL)
    wait_for(lambda: len(served.javas() - {java}) == 1 and len(served.workers()) == 1)


@pytest.mark.parametrize("what", ["workers", "Java"])
def test_no_row_is_lost_or_comes_twice(served: ServedProcess, what: str) -> None:
    values = wave()
    with client_of(served) as client, ThreadPoolExecutor(1) as pool:
        expected = client.score(values, by="window", stride=STRIDE)
        asked = pool.submit(client.score, values, by="window", stride=STRIDE)
        for _ in range(KILLS):
            if asked.done():
                break
            if what == "workers":
                served.await_another_worker(served.kill_worker())
            else:
                kill_java(served)
        found = asked.result()
    assert found["start"].to_pylist() == expected["start"].to_pylist()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5)


def test_a_server_that_is_started_again_goes_on(busy_store: Path, short_folder: Path) -> None:
    """Also the port is closed for a while: `rvae serve` itself is killed."""
    values = wave()
    folders = [short_folder / "1", short_folder / "2"]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(1) as pool:
        with ServedProcess(busy_store, folders[0]) as served:
            client = client_of(served)
            expected = client.score(values, by="window", stride=STRIDE)
            asked = pool.submit(client.score, values, by="window", stride=STRIDE)
            served.kill()
        again = ServedProcess(busy_store, folders[1], port=served.port)
        with again, client:
            found = asked.result()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5)
