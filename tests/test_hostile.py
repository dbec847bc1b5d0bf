"""No body hurts the server: random and adversarial requests, and sound ones that share batches."""

import psutil
import pytest

from hostile import hostile
from processes import resident, worker_pids
from rvae.contract.messages import Call
from rvae.server import TorchServe, archives_in
from rvae.service import Limits, Service
from storm import complaints, send, table_of
from targets import CARDS, archived, engines

# What a worker may hold more after it has seen the same requests once more, in megabytes.
GROWTH = 32


@pytest.fixture(scope="module")
def alone():
    """Answers of the models to sound requests, one by one and in this process."""
    services = {name: Service(engine, name, "1.0", Limits()) for name, engine in engines().items()}

    def ask(name, request):
        headers = {key.lower(): value for key, value in request.headers.items()}
        names = ("content-type", "accept", "rvae-options", "inference-header-content-length")
        call = Call(request.body, False, *(headers.get(key) for key in names))
        (reply,) = services[name].answer([call])
        return reply.content_type, reply.body

    return ask


@pytest.fixture(scope="module")
def stormed(tmp_path_factory):
    """A server of its own, which may be hurt."""
    folder = tmp_path_factory.mktemp("hostile")
    archives = archives_in(archived(folder))
    with TorchServe(archives, "127.0.0.1", 0, workers=1, logs=folder / "logs") as running:
        running.wait_until_ready(120)
        yield running


@pytest.mark.parametrize("count", [1500, pytest.param(10_000, marks=pytest.mark.hostile)])
def test_no_request_hurts_the_server_or_its_neighbours(stormed, alone, count):
    streams = [
        [(name, request) for request in hostile(count // len(CARDS), seed, card)]
        for seed, (name, card) in enumerate(CARDS.items(), count)
    ]
    requests = [named for pair in zip(*streams, strict=True) for named in pair]
    workers = worker_pids(stormed)
    assert len(workers) == len(CARDS)
    fresh = {pid: resident(pid) for pid in (*workers, stormed.pid)}
    held = []
    for _ in range(2):
        answers = send(stormed, requests)
        assert worker_pids(stormed) == workers
        assert psutil.Process(stormed.pid).status() != psutil.STATUS_ZOMBIE
        held.append({pid: resident(pid) for pid in (*workers, stormed.pid)})
        wrong = complaints(requests, answers, alone)
        assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20])
    print(f"\n{table_of(requests, answers)}")
    for pid, before in held[0].items():
        name = "Java" if pid == stormed.pid else "worker"
        print(f"{name}: {fresh[pid]:.0f} MB, then {before:.0f}, at the end {held[1][pid]:.0f}")
    assert max(held[1][pid] - held[0][pid] for pid in workers) < GROWTH
