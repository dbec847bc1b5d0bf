"""Workers that are killed, that hang, and that their requests kill."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.exchanges import JSON, ask, ask_at_once
from tests.support.fault_models import ASLEEP, DEADLY, MODERATE, PATH, WINDOW, build_fragile_store
from tests.support.outages import honest
from tests.support.served_process import ServedProcess
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

KILLS = 72
# A new worker imports what it needs and loads the model: seconds, on a busy machine.
RESTART = 8.0


@pytest.fixture
def fragile(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[ServedProcess]:
    """A server of a model with a faulty handler."""
    store = build_fragile_store(tmp_path_factory.mktemp("fragile"))
    with ServedProcess(store, tmp_path) as running:
        yield running


def test_a_killed_worker_loses_no_request(served: ServedProcess) -> None:
    with honest(served, RESTART), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask_at_once, served.address, PATH, [MODERATE] * 60)
        worker = served.kill_worker()
        assert [answer.status for answer in asked.result()] == [200] * 60
        served.await_another_worker(worker)


def test_a_stopped_worker_is_replaced(served: ServedProcess) -> None:
    with honest(served, RESTART), ThreadPoolExecutor(1) as pool:
        worker = served.worker
        os.kill(worker, signal.SIGSTOP)
        asked = pool.submit(ask_at_once, served.address, PATH, [WINDOW] * 20)
        assert [answer.status for answer in asked.result()] == [200] * 20
        served.await_another_worker(worker)


def test_one_stopped_worker_of_two(busy_store: Path, tmp_path: Path) -> None:
    with (
        ServedProcess(busy_store, tmp_path, ["--workers", 2]) as served,
        honest(served) as client,
    ):
        worker = min(served.workers())
        os.kill(worker, signal.SIGSTOP)
        wait_for(lambda: len(served.workers()) == 2 and worker not in served.workers())
    assert client.failed == 0


def test_workers_are_killed_again_and_again(served: ServedProcess) -> None:
    with honest(served, RESTART) as client:
        for _ in range(KILLS):
            served.await_another_worker(served.kill_worker())
            client.await_answers(2)
    assert served.process.poll() is None


def test_a_request_that_kills_its_worker_hurts_only_itself(fragile: ServedProcess) -> None:
    with honest(fragile, 3 * RESTART), ThreadPoolExecutor(1) as pool:
        beside = pool.submit(ask_at_once, fragile.address, PATH, [MODERATE] * 30)
        deadly = ask(fragile.address, PATH, DEADLY)
        statuses = [answer.status for answer in beside.result()]
    assert deadly.status == 500
    assert statuses == [200] * 30


def test_a_request_that_never_ends_hurts_only_itself(fragile: ServedProcess) -> None:
    with honest(fragile, 30), ThreadPoolExecutor(1) as pool:
        beside = pool.submit(ask_at_once, fragile.address, PATH, [MODERATE] * 30)
        endless = ask(fragile.address, PATH, ASLEEP, patience=120)
        statuses = [answer.status for answer in beside.result()]
    assert endless.status in (500, 503)
    assert statuses == [200] * 30


def test_several_deadly_requests_do_not_end_the_server(fragile: ServedProcess) -> None:
    deadly = ask_at_once(fragile.address, PATH, [DEADLY] * 4, JSON, patience=180)
    assert {answer.status for answer in deadly} <= {500, 503}
    assert ask(fragile.address, PATH, WINDOW).status == 200
