"""How long honest clients may be without answers while something fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.fault_models import PATH, WINDOW
from tests.support.honest_client import HonestClient
from tests.support.served_process import ServedProcess

__all__ = ["OUTAGE", "honest"]

OUTAGE = 2.0  # seconds


@contextmanager
def honest(served: ServedProcess, outage: float = OUTAGE) -> Iterator[HonestClient]:
    """A client from before something fails until all is well again; it fails if it has to wait."""
    with HonestClient(served.address, PATH, WINDOW) as client:
        client.await_answers()
        yield client
        client.await_answers()
    print(
        f"\nlongest outage {client.outage:.2f} s, slowest answer {client.slowest:.2f} s, "
        f"answers {dict(client.statuses)}"
    )
    assert client.outage < outage
