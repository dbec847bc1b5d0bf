"""Which requests of a model run beside each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Turns"]


class Turns:
    """Turns of the requests of one model.

    Most run beside each other. Of the expensive ones few run at a time, beside the others. One that
    may end its worker runs alone, so that it takes no other request with it.

    Args:
        expensive: Expensive requests that run at a time.

    Attributes:
        requests: How many there are.
    """

    def __init__(self, expensive: int = 1) -> None:
        self.requests = 0
        self._running = 0
        self._suspects = 0
        self._open = asyncio.Event()
        self._open.set()
        self._drained = asyncio.Event()
        self._alone = asyncio.Lock()
        self._few = asyncio.Semaphore(expensive)
        self._expected = 0.0

    @property
    def expected_seconds(self) -> float:
        """What the expensive requests that run or wait will take in all."""
        return self._expected

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """The turn of a request that may run beside others."""
        while self._suspects:
            await self._open.wait()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._drained.set()

    @asynccontextmanager
    async def expensive(self, seconds: float) -> AsyncIterator[None]:
        """The turn of an expensive request, which will take so many seconds."""
        self._expected += seconds
        try:
            async with self._few, self.beside():
                yield
        finally:
            self._expected -= seconds

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """The turn of a request that no other one may run beside."""
        self._suspects += 1
        self._open.clear()
        try:
            async with self._alone:
                while self._running:
                    self._drained.clear()
                    await self._drained.wait()
                yield
        finally:
            self._suspects -= 1
            if not self._suspects:
                self._open.set()
