"""A connection of a client: reads requests one by one, writes their answers."""

import asyncio
import logging
from enum import Enum, auto
from typing import cast

from rvae.serving.gateway.connections import Connections
from rvae.serving.gateway.http import CONTINUE, answer_head, write
from rvae.serving.gateway.messages import Answer, Application, Head, Request, refusal
from rvae.serving.gateway.open_inference import in_protocol
from rvae.serving.gateway.request_reader import RefusalError, RequestReader

__all__ = ["Connection"]

logger = logging.getLogger(__name__)

# What comes after the last answer is read and dropped, until the client closes the connection, but
# no longer: a connection that is closed with bytes unread takes the answer along.
LINGER_SECONDS = 2.0
# A transfer is not called slow before.
SLOW_SECONDS = 2.0


class State(Enum):
    """What a connection is doing."""

    IDLE = auto()  # waits for a request
    HEAD = auto()  # reads line and headers
    BODY = auto()  # reads the body
    ANSWERING = auto()  # waits for the application
    SENDING = auto()  # the client has not read all of the answer
    CLOSING = auto()  # drops what comes


class Connection(asyncio.BufferedProtocol):
    """A connection of a client.

    Args:
        connections: All connections, and their bounds.
        application: What answers.
    """

    def __init__(self, connections: Connections, application: Application) -> None:
        self._all = connections
        self._limits = connections.limits
        self._application = application
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(self._limits)
        self._state = State.IDLE
        self._since = self._progress = self._loop.time()
        self._task: asyncio.Task[None] | None = None
        self._is_admitted = False  # whether the body may be larger than a small one
        self._waits_for_room = False
        self._keep_alive = True
        self._held = 0  # bytes of the budget
        self._size = self._left = 0  # bytes of the answer that were not sent at once, and are left

    @property
    def is_busy(self) -> bool:
        """Whether there is a request that was read, or an answer that was not."""
        return self._state in (State.BODY, State.ANSWERING, State.SENDING)

    def close(self) -> None:
        """Close it when what was written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    def check_time(self, now: float) -> None:
        """End what takes too long."""
        if self._transport.is_closing() and self._state is not State.CLOSING:
            return
        limits, age, pause = self._limits, now - self._since, now - self._progress
        match self._state:
            case State.IDLE if age > limits.idle_seconds:
                self.close()
            case State.HEAD if age > limits.head_seconds:
                self._refuse(refusal(408, "headers", "did not arrive in time"))
            case State.BODY if self._waits_for_room:
                if age > limits.seconds:
                    self._refuse(refusal(503, "body", "too much was sent at once: try again", 1))
            case State.BODY:
                if pause > limits.pause_seconds or self._is_slow(age, self._reader.size):
                    self._refuse(refusal(408, "body", "did not arrive in time"))
            case State.SENDING:
                left = self._transport.get_write_buffer_size()
                if left < self._left:
                    self._left, self._progress = left, now
                if pause > limits.pause_seconds or self._is_slow(age, self._size - left):
                    self.abort()
            case State.CLOSING if age > LINGER_SECONDS:
                self.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport.set_write_buffer_limits(high=0)  # tell when all is written
        if self._all.add(self):
            self._all.set_idle(self)
        elif not self._transport.is_closing():
            self._refuse(refusal(503, "connection", "too many connections: try again", 1))

    def connection_lost(self, error: Exception | None) -> None:
        self._all.remove(self)
        task = self._cancel()  # nobody waits for the answer
        if task is None:
            self._release()
        else:
            # Not before it has ended: it may hand over the bytes to what still holds them.
            task.add_done_callback(lambda _: self._release())

    def eof_received(self) -> bool:
        # The client has hung up. It could also mean that it sends no more but still reads: nobody
        # can tell, and few do so. Proxies take it as the end as well.
        self._transport.abort()
        return False

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._all.buffer

    def buffer_updated(self, size: int) -> None:
        if self._state is State.CLOSING:
            return
        self._progress = self._loop.time()
        try:
            self._reader.feed(self._all.buffer[:size])
        except RefusalError as error:
            self._refuse(error.answer)
            return
        if self._state is State.IDLE and self._reader.has_begun:
            self._enter(State.HEAD)
        if self._state is State.HEAD and self._reader.head is not None:
            self._begin_body(self._reader.head)
        elif self._state is State.BODY:
            self._read_on()

    def resume_writing(self) -> None:
        if self._state is State.SENDING and not self._transport.is_closing():
            self._end_answer()

    # The way of a request.

    def _begin_body(self, head: Head) -> None:
        """Look at line and headers, before the body is read."""
        self._enter(State.BODY)
        self._all.set_busy(self)
        refused = _check(head) or self._application.check(head)
        if refused is not None:
            self._refuse(refused)
            return
        self._read_on()
        if self._state is State.BODY and not self._waits_for_room:
            self._ask_for_body()

    def _read_on(self) -> None:
        """See whether the body is there, and whether there is memory for the rest of it."""
        reader = self._reader
        # Of a chunked body nobody knows how large it will be: most are small.
        size = reader.size if reader.is_chunked else reader.expected_size
        if size > self._limits.small_bytes and not self._is_admitted:
            self._is_admitted = self._waits_for_room = True
            self._transport.pause_reading()
            self._task = self._loop.create_task(self._wait_for_room())
        elif reader.is_complete and not self._waits_for_room:
            self._begin_answer()

    async def _wait_for_room(self) -> None:
        """Read on where there is memory for a large body."""
        size = self._reader.expected_size
        await self._all.budget.acquire(size)
        self._held = size
        self._task = None
        self._waits_for_room = False
        if self._transport.is_closing():
            return
        self._enter(State.BODY)
        self._transport.resume_reading()
        if self._reader.is_complete:
            self._begin_answer()
        else:
            self._ask_for_body()

    def _ask_for_body(self) -> None:
        head = self._reader.head
        if head is not None and "expect" in head.headers and not self._reader.size:
            self._transport.write(CONTINUE)

    def _begin_answer(self) -> None:
        self._enter(State.ANSWERING)
        self._release(keep=self._reader.size)
        self._task = self._loop.create_task(self._answer(self._reader.request()))

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self._application.answer(request)
        except Exception:
            logger.exception("The gateway failed on a request")
            answer = refusal(500, "request", "the gateway failed: see the server's log")
        self._task = None
        self._release()
        if self._transport.is_closing():
            return  # nobody reads the answer
        answer = in_protocol(request.head.target, answer)
        self._keep_alive = self._reader.keep_alive and not self._all.is_ending
        body = b"" if request.head.method == "HEAD" else answer.body
        write(self._transport, answer_head(answer, not self._keep_alive), body)
        self._enter(State.SENDING)
        self._size = self._left = self._held = self._transport.get_write_buffer_size()
        if self._held:
            self._all.budget.hold(self._held)
        else:
            self._end_answer()

    def _end_answer(self) -> None:
        """The answer was sent whole."""
        self._release()
        # Of what came before the end of the answer nothing was read.
        if self._keep_alive and self._reader.keep_alive:
            self._reader = RequestReader(self._limits)
            self._is_admitted = False
            self._enter(State.IDLE)
            self._all.set_idle(self)
        else:
            self._end_writing()

    def _refuse(self, answer: Answer) -> None:
        """Answer a request that was not read whole, and drop the rest of it."""
        if self._waits_for_room:
            self._waits_for_room = False
            self._transport.resume_reading()
        self._cancel()
        self._release()
        self._all.refused(answer.status)
        if self._reader.head is not None:
            answer = in_protocol(self._reader.head.target, answer)
        write(self._transport, answer_head(answer, close=True), answer.body)
        self._end_writing()

    def _end_writing(self) -> None:
        self._enter(State.CLOSING)
        self._all.set_idle(self)
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset the connection, which is about to be noticed
            self._transport.abort()

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = self._progress = self._loop.time()

    def _cancel(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    def _release(self, keep: int = 0) -> None:
        """Give bytes of the budget back, all but some."""
        surplus = self._held - keep
        if surplus > 0:
            self._held = keep
            self._all.budget.release(surplus)

    def _is_slow(self, seconds: float, done: int) -> bool:
        """Whether a transfer is too slow, or keeps what others wait for."""
        limits = self._limits
        if done < limits.least_bytes_per_second * (seconds - limits.pause_seconds):
            return True
        least = limits.slow_bytes_per_second * (seconds - SLOW_SECONDS)
        return self._all.is_short and done < least


def _check(head: Head) -> Answer | None:
    """What is not supported, for any application."""
    encoding, expected = head.headers.get("content-encoding"), head.headers.get("expect")
    if encoding is not None and encoding.strip().lower() != "identity":
        return refusal(415, "Content-Encoding", "is not supported: send the body as it is")
    if expected is not None and expected.strip().lower() != "100-continue":
        return refusal(417, "Expect", "must be 100-continue")
    return None
