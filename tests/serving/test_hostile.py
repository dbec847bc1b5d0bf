"""No body hurts the server: random and adversarial requests, and sound ones that share batches."""

from collections.abc import Callable, Iterator

import psutil
import pytest

from rvae.serving.contract import messages
from rvae.serving.model_store import list_archives
from rvae.serving.service import Limits, Service
from rvae.serving.torchserve import Endpoint, fresh_state
from tests.support.concurrent_requests import complaints, send, table_of
from tests.support.hostile import hostile
from tests.support.hostile_targets import CARDS, archived, engines
from tests.support.processes import resident, worker_pids
from tests.support.valid_requests import Request

# What a worker may hold more, in megabytes. It keeps what it has freed: how much that is hangs on
# which of the large requests share a batch: 60 at most between two rounds of ten thousand, 5 from
# then on. Small requests leave nothing behind.
SETTLING, GROWTH = 120, 8

LARGE = 100_000  # bytes


@pytest.fixture(scope="module")
def alone() -> Callable[[str, Request], tuple[str, bytes]]:
    """Answers of the models to sound requests, one by one and in this process."""
    services = {name: Service(engine, name, "1.0", Limits()) for name, engine in engines().items()}

    def ask(name: str, request: Request) -> tuple[str, bytes]:
        headers = {key.lower(): value for key, value in request.headers.items()}
        call = messages.Request(
            request.body,
            content_type=headers.get("content-type"),
            accept=headers.get("accept"),
            options=headers.get("rvae-options"),
            json_length=headers.get("inference-header-content-length"),
        )
        (reply,) = services[name].answer([call])
        return reply.content_type, reply.body

    return ask


@pytest.fixture(scope="module")
def stormed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A server of its own, which may be hurt."""
    folder = tmp_path_factory.mktemp("hostile")
    archives = list_archives(archived(folder))
    with Endpoint(fresh_state(archives, workers=1), logs=folder / "logs") as running:
        running.start()
        yield running


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.hostile)])
def test_no_request_hurts_the_server_or_its_neighbours(
    stormed: Endpoint, alone: Callable[[str, Request], tuple[str, bytes]], count: int
) -> None:
    streams = [
        [(name, request) for request in hostile(count // len(CARDS), seed, card)]
        for seed, (name, card) in enumerate(CARDS.items(), count)
    ]
    requests = [named for pair in zip(*streams, strict=True) for named in pair]
    workers = worker_pids(stormed)
    assert len(workers) == len(CARDS)
    held = [sizes(stormed)]
    for sent in (requests, requests, [r for r in requests if len(r[1].body) < LARGE]):
        answers = send(stormed, sent)
        assert worker_pids(stormed) == workers
        assert psutil.Process(stormed.torchserve.pid).status() != psutil.STATUS_ZOMBIE
        held.append(sizes(stormed))
        wrong = complaints(sent, answers, alone)
        assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20])
        print(f"\n{table_of(sent, answers)}")
    for pid in held[0]:
        name = "Java" if pid == stormed.torchserve.pid else "worker"
        print(f"{name}: {', '.join(f'{each[pid]:.0f}' for each in held)} MB")
    _, first, second, third = held
    assert max(second[pid] - first[pid] for pid in workers) < SETTLING
    assert max(third[pid] - second[pid] for pid in workers) < GROWTH


def sizes(server: Endpoint) -> dict[int, float]:
    """What Java and the workers hold."""
    return {pid: resident(pid) for pid in (*worker_pids(server), server.torchserve.pid)}
