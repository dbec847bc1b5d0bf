"""What of a batch a worker answers at once, and what it defers."""

import time

__all__ = ["ANSWERED_BYTES", "Turn"]

# What costs more is expensive, and comes again where few of its kind run at a time. A batch takes
# so much beyond its first request: others wait for it, most of which are cheap.
CHEAP_SECONDS = 0.5

# Answers of a batch are in memory together, and copied on their way: once they are so large, no
# other one is added to them.
ANSWERED_BYTES = 32 << 20


class Turn:
    """A worker's turn: it takes a cheap request, and others that add little to it."""

    def __init__(self) -> None:
        self._ready = 0.0  # when what was taken is expected to be done
        self._latest: float | None = None  # when what may be deferred has to be done
        self._answered = 0  # bytes

    @property
    def is_full(self) -> bool:
        """Whether the answers so far leave no memory for others."""
        return self._answered >= ANSWERED_BYTES

    def has_room(self, seconds: float) -> bool:
        """Whether there is time for so many seconds more, and memory for answers."""
        if self.is_full:
            return False
        if self._latest is None:
            return seconds <= CHEAP_SECONDS
        return self._after(seconds) <= self._latest

    def add_answer(self, size: int) -> None:
        """Count an answer of so many bytes."""
        self._answered += size

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
