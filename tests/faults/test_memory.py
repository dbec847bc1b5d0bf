"""Two gigabytes for all of it: nothing is ended by the kernel, and clients are answered."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.exchanges import JSON, ask_at_once
from tests.support.fault_models import HUGE_ANSWER, LARGE_ANSWER, PATH, long_array
from tests.support.memory_groups import MemoryGroup, memory_group
from tests.support.outages import honest
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

LIMIT = 2 << 30
CLIENTS = 64

LONG = b'{"stride":1000000,"data":[' + b"1.5," * 1_120_000 + b"1.5]}"


def storm(
    store: Path, folder: Path, body: bytes, headers: Mapping[str, str], group: MemoryGroup
) -> set[int]:
    """Statuses of a request that many clients send at once."""
    with ServedProcess(store, folder, group=group) as served:
        processes = served.javas() | served.workers()
        with honest(served) as client:
            answers = ask_at_once(served.address, PATH, [body] * CLIENTS, headers)
        assert client.failed == 0
        assert served.javas() | served.workers() == processes
        assert group.killed == 0
        print(f"{group.peak / 1e6:.0f} MB at most")
    return {answer.status for answer in answers}


@pytest.mark.parametrize("body", [LONG, LARGE_ANSWER], ids=["large bodies", "large answers"])
def test_many_clients_at_once(busy_store: Path, tmp_path: Path, body: bytes) -> None:
    with memory_group(LIMIT) as group:
        statuses = storm(busy_store, tmp_path, body, JSON, group)
    assert statuses <= {200, 413, 422, 429, 503}


def test_many_arrays_with_large_answers(busy_store: Path, tmp_path: Path) -> None:
    with memory_group(LIMIT) as group:
        statuses = storm(busy_store, tmp_path, long_array(), HUGE_ANSWER, group)
    assert statuses <= {413, 422, 429, 503}
