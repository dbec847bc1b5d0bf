"""A backend: where it listens, how requests reach it, and what its answers mean."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import cast

import httptools

from rvae.serving.gateway.messages import Answer
from rvae.serving.tickets import Tickets

__all__ = ["Backend", "Client", "Verdict"]


class Verdict(Enum):
    """What became of a request."""

    ANSWERED = auto()
    DIED = auto()  # the worker ended while it had the request
    UNAVAILABLE = auto()  # the model has no worker
    GONE = auto()  # the backend itself ended


@dataclass(frozen=True)
class Backend:
    """A program that answers requests on Unix sockets.

    Attributes:
        inference: Socket for predictions.
        management: Socket for management.
        metrics: Socket for metrics.
        tickets: Which requests are still wanted, for its workers.
        verdict: What became of a request, by its answer.
    """

    inference: Path
    management: Path
    metrics: Path
    tickets: Tickets
    verdict: Callable[[Answer], Verdict]


class Client:
    """Sends requests to a socket, over connections that are kept.

    Args:
        path: The Unix socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._idle: list[_Connection] = []

    async def send(
        self, head: bytes, body: bytes, finished: Callable[[], None] = lambda: None
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            head: Line and headers.
            body: Body.
            finished: Called when the backend has answered or is gone, even if this was cancelled
                long before: it cannot take a request back.

        Raises:
            OSError: If the backend cannot be reached, or ends before it has answered.
        """
        connection = self._idle.pop() if self._idle else None
        if connection is None:
            loop = asyncio.get_running_loop()
            try:
                _, connection = await loop.create_unix_connection(
                    lambda: _Connection(self._idle), self._path
                )
            except BaseException:
                finished()
                raise
        return await connection.send(head, body, finished)

    def close(self) -> None:
        """Close connections that are not in use."""
        while self._idle:
            self._idle.pop().close()


class _Connection(asyncio.Protocol):
    """A connection to the backend, with one request at a time."""

    def __init__(self, idle: "list[_Connection]") -> None:
        self._idle = idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)

    def send(
        self, head: bytes, body: bytes, finished: Callable[[], None]
    ) -> asyncio.Future[Answer]:
        self._answer = asyncio.get_running_loop().create_future()
        self._finished = finished
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._transport.writelines((head, body))
        return self._answer

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._idle:
            self._idle.remove(self)
        if self._answer is not None:
            answer, self._answer = self._answer, None
            if not answer.done():
                answer.set_exception(ConnectionResetError("the backend closed the connection"))
            self._finished()

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, chunk: bytes) -> None:
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        if self._answer is None:
            self._transport.abort()  # an answer that nobody asked for
            return
        future, self._answer = self._answer, None
        answer = Answer(self._parser.get_status_code(), b"".join(self._body), self._headers)
        self._body = []
        if self._parser.should_keep_alive():
            self._idle.append(self)
        else:
            self._transport.close()
        if not future.done():  # else nobody wants it any more
            future.set_result(answer)
        self._finished()
