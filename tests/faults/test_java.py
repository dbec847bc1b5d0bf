"""TorchServe's Java is killed, or hangs."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.exchanges import ask_at_once
from tests.support.fault_models import MODERATE, PATH
from tests.support.outages import honest
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

REPLACED = 15.0  # seconds for a new Java and a new worker


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_java_is_replaced_and_no_request_is_lost(
    served: ServedProcess, what: signal.Signals
) -> None:
    with honest(served, REPLACED), ThreadPoolExecutor(1) as pool:
        (java,) = served.javas()
        asked = pool.submit(ask_at_once, served.address, PATH, [MODERATE] * 40)
        os.kill(java, what)
        statuses = [answer.status for answer in asked.result()]
    assert statuses == [200] * 40
    assert java not in served.javas() and len(served.javas()) == 1
    assert served.process.poll() is None
