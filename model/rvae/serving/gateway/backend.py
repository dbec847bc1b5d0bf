"""A backend: where it listens, how requests reach it, and what its answers mean."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import cast

import httptools

from rvae.serving.gateway.http import write
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from rvae.serving.tickets import Tickets

__all__ = ["Backend", "Client", "EndedError", "Verdict"]


class Verdict(Enum):
    """What became of a request."""

    ANSWERED = auto()
    DIED = auto()  # the worker ended while it had the request
    UNAVAILABLE = auto()  # the model has no worker
    GONE = auto()  # the backend itself ended, or cannot be reached
    RECALLED = auto()  # nothing: it was taken back before it was begun


@dataclass(frozen=True)
class Backend:
    """A program that answers requests on Unix sockets.

    Attributes:
        inference: Socket for predictions.
        management: Socket for management.
        metrics: Socket for metrics.
        tickets: Which requests are still wanted, for its workers; one for each that is forwarded.
        verdict: What became of a request by its answer, and what the client is told then.
        expensive: Expensive requests of a model that run at a time.
    """

    inference: Path
    management: Path
    metrics: Path
    tickets: Tickets
    verdict: Callable[[Answer], tuple[Verdict, Answer]]
    expensive: int = 1


class EndedError(ConnectionError):
    """The backend ended, or answered what is no HTTP, while it had a request."""


class _UnseenError(ConnectionError):
    """A connection that was kept was closed before the backend had seen a request."""


class Client:
    """Sends requests to a socket, over connections that are kept.

    Args:
        path: The Unix socket.
        limits: The bounds.
    """

    def __init__(self, path: Path, limits: GatewayLimits) -> None:
        self._path = str(path)
        self._limits = limits
        self._idle: list[_Connection] | None = []  # None after the end

    async def send(
        self,
        head: bytes,
        body: bytes | bytearray,
        finished: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            head: Line and headers.
            body: Body.
            finished: Called when the backend has answered or is gone, even if this was cancelled
                long before: it cannot take a request back. One that does not answer is not waited
                for longer than a request may take.

        Raises:
            EndedError: If the backend ends before it has answered.
            OSError: If it cannot be reached.
        """
        while self._idle:
            with suppress(_UnseenError):
                return await self._exchange(self._idle.pop(), head, body, finished)
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(
                lambda: _Connection(self._limits.answer_bytes, self._keep), self._path
            )
        except BaseException:
            finished()
            raise
        return await self._exchange(connection, head, body, finished)

    def close(self) -> None:
        """Close connections that are not in use, and the others after their answers."""
        idle, self._idle = self._idle, None
        for connection in idle or ():
            connection.close()

    async def _exchange(
        self,
        connection: "_Connection",
        head: bytes,
        body: bytes | bytearray,
        finished: Callable[[], None],
    ) -> Answer:
        answer = connection.send(head, body, finished)
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.cancelled():
                connection.end_after(self._limits.seconds)
            elif isinstance(answer.exception(), _UnseenError):  # and it is not sent again
                finished()
            raise

    def _keep(self, connection: "_Connection", is_open: bool) -> None:
        """Keep a connection for the next request, or let it go."""
        if self._idle is None or not is_open:
            if self._idle and connection in self._idle:
                self._idle.remove(connection)
            connection.close()
        else:
            self._idle.append(connection)


class _Connection(asyncio.Protocol):
    """A connection to the backend, with one request at a time.

    Args:
        answer_bytes: Most that an answer may have.
        keep: What to call when it has no request any more, and whether it can take another.
    """

    def __init__(self, answer_bytes: int, keep: "Callable[[_Connection, bool], None]") -> None:
        self._answer_bytes = answer_bytes
        self._keep = keep
        self._answer: asyncio.Future[Answer] | None = None
        self._finished: Callable[[], None] | None = None
        self._requests = 0
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._parser = httptools.HttpResponseParser(self)

    def send(
        self, head: bytes, body: bytes | bytearray, finished: Callable[[], None]
    ) -> asyncio.Future[Answer]:
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._finished = finished
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._received = 0
        self._requests += 1
        write(self._transport, head, body)
        return answer

    def end_after(self, seconds: float) -> None:
        """Wait no longer for an answer that nobody wants."""
        self._end = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        try:
            if self._answer is None or self._received > self._answer_bytes:
                raise _UnexpectedError
            self._parser.feed_data(data)
        except (httptools.HttpParserError, _UnexpectedError):
            self._transport.abort()
            self._keep(self, False)

    def connection_lost(self, error: Exception | None) -> None:
        self._keep(self, False)
        answer, self._answer = self._answer, None
        if answer is None:
            return
        self._cancel_end()
        if self._requests > 1 and not self._received and not answer.done():
            answer.set_exception(_UnseenError())
            return
        if not answer.done():
            answer.set_exception(EndedError("the backend ended while it had a request"))
        self._finish()

    # What httptools calls.

    def on_message_begin(self) -> None:
        if self._answer is None:
            raise _UnexpectedError  # an answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, chunk: bytes) -> None:
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        future, self._answer = self._answer, None
        assert future is not None  # as it has begun
        self._cancel_end()
        answer = Answer(self._parser.get_status_code(), b"".join(self._body), self._headers)
        self._body = []
        self._keep(self, self._parser.should_keep_alive())
        if not future.done():  # else nobody wants it any more
            future.set_result(answer)
        self._finish()

    def _finish(self) -> None:
        # What is to be called holds the request: a connection that idles must not keep it.
        finished, self._finished = self._finished, None
        if finished is not None:
            finished()

    def _cancel_end(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None


class _UnexpectedError(Exception):
    """The backend sends what nobody asked for."""
