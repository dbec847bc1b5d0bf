"""Requests of one call at the same time, whose answers come in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rvae.client.transport import Call

__all__ = ["in_order"]

T = TypeVar("T")
R = TypeVar("R")

# Requests that wait for a connection, for each connection: none is ever idle.
WAITING = 2


def in_order(
    ask: Callable[[T], R], every: Iterable[T], connections: int, call: Call
) -> Iterator[R]:
    """The answers to requests, in the order of the requests.

    Whatever ends the iteration, an error of one of them too, ends all requests that are under way.

    Args:
        ask: Sends a request and returns its answer.
        every: The requests, which are made as they are needed.
        connections: Most requests at the same time.
        call: The call that they belong to.
    """
    executor = ThreadPoolExecutor(connections, "rvae-client")
    waiting: deque[Future[R]] = deque()
    try:
        for one in every:
            waiting.append(executor.submit(ask, one))
            if len(waiting) >= WAITING * connections:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BaseException:
        call.end()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
