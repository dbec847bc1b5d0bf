"""What of a batch a worker answers at once, and what it defers."""

import time

__all__ = ["Turn"]

# Work beyond the first request of a batch: others wait for it, most of which are cheap.
SECONDS_BEYOND_THE_FIRST = 0.5


class Turn:
    """A worker's turn: it takes one request of any cost, and others that add little to it."""

    def __init__(self) -> None:
        self._ready = 0.0  # when what was taken is expected to be done
        self._latest: float | None = None  # when what may be deferred has to be done

    def has_room(self, seconds: float) -> bool:
        """Whether there is time for so many seconds more."""
        return self._latest is None or self._after(seconds) <= self._latest

    def takes(self, seconds: float, may_defer: bool) -> bool:
        """Take a request that costs so many seconds, unless it may be deferred and has to be."""
        if may_defer and not self.has_room(seconds):
            return False
        self._ready = self._after(seconds)
        if self._latest is None:
            self._latest = self._ready + SECONDS_BEYOND_THE_FIRST
        return True

    def _after(self, seconds: float) -> float:
        return max(self._ready, time.monotonic()) + seconds
