"""Work of several threads, with the results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_order"]

T = TypeVar("T")
R = TypeVar("R")


def in_order(compute: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Results for items, in their order, of which no more than two per thread are kept.

    Args:
        compute: Computes a result, in any thread.
        items: Items, which are taken when a thread is free.
        threads: Results that are computed at a time; for one, no thread is started.
    """
    if threads == 1:
        yield from map(compute, items)
        return
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(compute, item))
            # As many again as are computed, so that no thread waits for the results to be used.
            if len(waiting) == 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
