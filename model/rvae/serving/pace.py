"""How long the model works for a request, told in advance."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rvae.serving.contract.query import Query

__all__ = ["Pace", "work_of"]

# Encoder and decoder cost about the same.
PART_OF_THE_NETWORK = 0.5


class Pace:
    """The fastest pace that was seen here: a slower one is due to other work on the machine.

    Nothing is known before the first run, and everything is said to take no time.
    """

    def __init__(self) -> None:
        self._seconds: float | None = None  # for a unit of work

    def seconds(self, work: float) -> float:
        """Seconds that some work takes, see `work_of`."""
        return 0.0 if self._seconds is None else work * self._seconds

    @contextmanager
    def learn(self, work: float) -> Iterator[None]:
        """Learn from how long some work takes."""
        began = time.perf_counter()
        yield
        seconds = (time.perf_counter() - began) / work
        self._seconds = seconds if self._seconds is None else min(self._seconds, seconds)


def work_of(query: Query, windows: int) -> float:
    """The work for a request of so many windows; that for a window is 1 if all of the network runs.

    A request alone is meant: in a run with others, latents alone cost what these do.
    """
    whole = not query.generates and any(output.decodes for output in query.outputs)
    return windows if whole else PART_OF_THE_NETWORK * windows
