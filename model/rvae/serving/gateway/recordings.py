"""Clients' requests as they were sent, for who wants to ask another version the same."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

__all__ = ["Recorded", "Recordings", "TooManyError"]

MOST = 1  # recordings at a time
MOST_BYTES = 8_000_000  # of the requests in one
OVERHEAD = 1000  # bytes of one in memory, whatever it says


@dataclass(frozen=True)
class Recorded:
    """A request.

    Attributes:
        path: As it was sent.
        headers: Those that the contract reads, by name in lower case.
        body: As it was sent.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes | bytearray

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        said = sum(len(name) + len(value) for name, value in self.headers.items())
        return OVERHEAD + len(self.path) + said + len(self.body)


class TooManyError(Exception):
    """Others record already."""


class Recordings:
    """Recordings that are being made."""

    def __init__(self) -> None:
        self._open: list[_Recording] = []

    def wants(self, model: str) -> bool:
        """Whether anybody records the requests of a model."""
        return any(one.model == model for one in self._open)

    def hear(self, model: str, request: Recorded) -> None:
        """Take a request into the recordings of its model."""
        for one in self._open:
            if one.model == model:
                one.hear(request)

    async def record(self, model: str, requests: int, seconds: float) -> list[Recorded]:
        """The next requests of a model: so many, or those of so many seconds, or what fits.

        Raises:
            TooManyError: If too many others record at this moment.
        """
        if len(self._open) >= MOST:
            raise TooManyError
        with self._opened(_Recording(model, requests)) as recording:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await recording.full.wait()
            return recording.heard

    def end(self) -> None:
        """Let those who record have what there is, and wait for no more."""
        for one in self._open:
            one.full.set()

    @contextmanager
    def _opened(self, recording: "_Recording") -> Iterator["_Recording"]:
        self._open.append(recording)
        try:
            yield recording
        finally:
            self._open.remove(recording)


class _Recording:
    def __init__(self, model: str, requests: int) -> None:
        self.model = model
        self.heard: list[Recorded] = []
        self.full = asyncio.Event()
        self._requests = requests
        self._bytes = 0

    def hear(self, request: Recorded) -> None:
        if self.full.is_set():
            return
        self._bytes += request.size
        if self._bytes <= MOST_BYTES:
            self.heard.append(request)
        if self._bytes >= MOST_BYTES or len(self.heard) >= self._requests:
            self.full.set()
