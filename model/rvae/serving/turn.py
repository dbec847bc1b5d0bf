"""What of a batch a worker answers at once, and what it defers."""

import time

__all__ = ["Turn"]

# What costs more is expensive, and comes again where few of its kind run at a time. A batch takes
# so much beyond its first request: others wait for it, most of which are cheap.
CHEAP_SECONDS = 0.5


class Turn:
    """A worker's turn: it takes a cheap request, and others that add little to it."""

    def __init__(self) -> None:
        self._ready = 0.0  # when what was taken is expected to be done
        self._latest: float | None = None  # when what may be deferred has to be done

    def has_room(self, seconds: float) -> bool:
        """Whether there is time for so many seconds more."""
        if self._latest is None:
            return seconds <= CHEAP_SECONDS
        return self._after(seconds) <= self._latest

    def takes(self, seconds: float, may_defer: bool) -> bool:
        """Take a request that costs so many seconds, unless it may be deferred and has to be."""
        if may_defer and not self.has_room(seconds):
            return False
        self._ready = self._after(seconds)
        if self._latest is None:
            self._latest = self._ready + CHEAP_SECONDS
        return True

    def _after(self, seconds: float) -> float:
        return max(self._ready, time.monotonic()) + seconds
