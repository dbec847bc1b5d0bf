"""A bound on the bytes of bodies and answers in memory."""

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["ByteBudget"]


class ByteBudget:
    """Counts bytes; who wants more than is left waits, first come first served.

    Args:
        limit: Bytes in all. A single request may take more if nothing else does.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._within = asyncio.Event()
        self._within.set()
        self._exceeded: Callable[[], None] = lambda: None

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    @property
    def is_short(self) -> bool:
        """Whether somebody waits for bytes."""
        return bool(self._waiting) or not self._within.is_set()

    def call_when_exceeded(self, exceeded: Callable[[], None]) -> None:
        """Call a function, one for all, when more bytes are held than the limit allows."""
        self._exceeded = exceeded

    async def acquire(self, size: int) -> None:
        """Hold so many bytes, once they fit."""
        if not self._waiting and self._fits(size):
            self.hold(size)
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append((size, place))
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self.release(size)  # it was granted at the same time
            elif (size, place) in self._waiting:
                self._waiting.remove((size, place))
                self._grant()
            raise

    def hold(self, size: int) -> None:
        """Hold bytes that are there already."""
        self._held += size
        if self._held > self._limit and self._within.is_set():
            self._within.clear()
            self._exceeded()

    def release(self, size: int) -> None:
        """Give bytes back."""
        self._held -= size
        if self._held <= self._limit:
            self._within.set()
        self._grant()

    async def wait_within(self) -> None:
        """Wait while more bytes are held than the limit allows."""
        while not self._within.is_set():
            await self._within.wait()

    def _fits(self, size: int) -> bool:
        return self._held == 0 or self._held + size <= self._limit

    def _grant(self) -> None:
        while self._waiting:
            size, place = self._waiting[0]
            if not place.cancelled():  # else its task has not yet heard of it
                if not self._fits(size):
                    return
                self.hold(size)
                place.set_result(None)
            self._waiting.popleft()
