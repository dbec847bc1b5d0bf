"""Awaiting what another process brings about."""

import time
from collections.abc import Callable
from threading import Event

__all__ = ["wait_for"]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return once the condition holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.05)
