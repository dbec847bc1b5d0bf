"""A request's way through the backend: its place in the queue, its deadline, its repetition."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from rvae.serving.gateway.backend import Backend, Client, EndedError, Verdict
from rvae.serving.gateway.budget import ByteBudget
from rvae.serving.gateway.http import header_lines
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, refusal
from rvae.serving.gateway.routes import NotServedError, Routes
from rvae.serving.gateway.traffic import HUNG_UP, Traffic
from rvae.serving.gateway.turns import Turns
from rvae.serving.tickets import Tickets

__all__ = ["VERSION", "Dispatcher", "Job"]

# A request whose worker ends is sent again, without others beside it: the first time another one
# may have ended the worker, the second time somebody else.
MAX_DEATHS = 3
HANGING_SECONDS = 4.0  # a worker that is ended later was hanging
# The same of the backend as a whole, which others share.
MAX_ENDS = 3
RETRY_SECONDS = 0.1

# A worker that has ended may have taken along, without a word, what was sent before its end was
# noticed, or a moment later. By then the next worker answers what is not lost.
TAKEN_SECONDS, REPEAT_SECONDS = 1.0, 1.5

# Headers between the gateway and workers. Of a request: whether it is still wanted, and that it was
# deferred before, and when it arrived. Of an answer: that it was deferred, and how many seconds it
# will take.
TICKET, DEFERRED, ARRIVED = "rvae-ticket", "rvae-deferred", "rvae-arrived"

# Of every answer, also to clients: which version of the model it comes from.
VERSION = "rvae-version"

# What a worker answers where it finds that a request is not wanted any more.
NOT_WANTED = 408

NO_ANSWER = Answer(502, b"")


@dataclass
class Job:
    """A request for the workers of a model.

    Attributes:
        kind: What is asked for: the first part of the path.
        model: Name of the model.
        version: Version of the model; None for the one that answers those who name none.
        headers: Values by name, without those that a dispatcher adds.
        body: Body.
        deaths: How many workers ended while they had it.
        ends: How often the backend itself ended while it had it.
        seconds: How long it will take, if a worker has deferred it.
        measured: Whether it counts in the metrics.
        arrived: Time by `time.monotonic`, which workers share, at which it was read whole.
    """

    kind: str
    model: str
    version: str | None
    headers: Mapping[str, str]
    body: bytes | bytearray
    deaths: int = 0
    ends: int = 0
    seconds: float | None = None
    measured: bool = True
    arrived: float = field(default_factory=time.monotonic)


class Dispatcher:
    """Passes requests to a backend, which may be replaced meanwhile.

    Args:
        limits: The bounds.
        budget: Bytes in memory.
        routes: Which version answers a request.
        traffic: Where requests are counted.
    """

    def __init__(
        self, limits: GatewayLimits, budget: ByteBudget, routes: Routes, traffic: Traffic
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._routes = routes
        self._traffic = traffic
        self._backend: tuple[Backend, Client] | None = None
        self._has_backend = asyncio.Event()
        self._places = asyncio.Semaphore(limits.forwarded)
        self._room = ByteBudget(limits.forwarded_bytes)
        # Of the versions that have requests now.
        self._turns: dict[tuple[str, str], Turns] = {}
        self._expensive = 1
        self._jobs = 0
        # Tickets of requests in the backend, by ticket.
        self._wanted: dict[str, Tickets] = {}
        # When they were sent, and what ends the wait for their answers.
        self._patience: dict[str, tuple[float, asyncio.Timeout]] = {}
        budget.call_when_exceeded(self._recall)

    def use(self, backend: Backend | None) -> None:
        """Send requests to another backend from now on; without one they wait."""
        if self._backend:
            self._backend[1].close()
        self._backend = (backend, Client(backend.inference, self._limits)) if backend else None
        if backend:
            self._expensive = backend.expensive
            self._has_backend.set()
        else:
            self._has_backend.clear()

    def repeat(self) -> None:
        """Send again what is not answered soon: a worker has ended, and may have taken it along."""
        loop = asyncio.get_running_loop()
        before = loop.time() + TAKEN_SECONDS
        loop.call_later(REPEAT_SECONDS, self._repeat, before)

    async def answer(self, job: Job) -> Answer:
        """The answer to a request, or an error where none came in time."""
        status, version = HUNG_UP, None
        try:
            answer, version = await self._answer_in_time(job)
            status = answer.status
        finally:
            if job.measured:
                self._count(job, version, status)
        if version is None:
            return answer
        return replace(answer, headers={**answer.headers, VERSION: _written(version)})

    @property
    def forwarded(self) -> int:
        """How many requests the backend has."""
        return len(self._patience)

    @property
    def requests(self) -> int:
        """How many requests there are, with those that wait."""
        return self._jobs

    def _count(self, job: Job, version: str | None, status: int) -> None:
        if version is not None:
            seconds = time.monotonic() - job.arrived
            self._traffic.answered(job.model, version, status, seconds)
        elif job.model in self._routes.served:
            self._traffic.refused(status, job.model)
        else:
            self._traffic.refused(status)

    async def _answer_in_time(self, job: Job) -> tuple[Answer, str | None]:
        """The answer, and the version that it comes from."""
        limits = self._limits
        if self._jobs >= limits.forwarded + limits.waiting:
            return refusal(503, "request", "too many requests at once: try again", 1), None
        self._jobs += 1
        version = None
        try:
            async with (
                asyncio.timeout(limits.seconds),
                self._routes.enter(job.model, job.version) as version,
            ):
                answer = await self._answer(job, version)
        except NotServedError as error:
            return error.answer, None
        except TimeoutError:
            message = f"was not answered within {limits.seconds:g} s: try again, or ask for less"
            answer = refusal(503, "request", message, 1)
        finally:
            self._jobs -= 1
        return answer, version

    async def _answer(self, job: Job, version: str) -> Answer:
        key = job.model, version
        turns = self._turns.get(key)
        if turns is None:
            turns = self._turns[key] = Turns(self._expensive)
        turns.requests += 1
        path = f"/{job.kind}/{job.model}/{_written(version)}"
        head = header_lines("POST", path, job.headers, len(job.body))
        try:
            return await self._repeated(job, head, turns)
        finally:
            turns.requests -= 1
            if not turns.requests:
                del self._turns[key]

    async def _repeated(self, job: Job, head: bytes, turns: Turns) -> Answer:
        """Send a request until it is answered, or there is no hope."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._limits.unavailable_seconds
        while True:
            await self._has_backend.wait()
            async with _turn(job, turns):
                began = clock()
                verdict, answer = await self._exchange(job, head)
            is_deferred = DEFERRED in answer.headers and job.seconds is None
            if verdict is Verdict.ANSWERED and not is_deferred:
                return answer
            if verdict is Verdict.ANSWERED:
                job.seconds = float(answer.headers[DEFERRED])
                expected = turns.expected_seconds / self._expensive + job.seconds
                if expected > self._limits.seconds:
                    message = "too much was requested at once: try again, or ask for less"
                    return refusal(503, "request", message, round(expected))
            elif verdict is Verdict.DIED:
                # All wait while one that hung its worker hangs the next one.
                job.deaths += 1 if clock() - began < HANGING_SECONDS else MAX_DEATHS - 1
                if job.deaths >= MAX_DEATHS:
                    message = "workers ended again and again while they had this request"
                    return refusal(500, "request", message)
            elif verdict is Verdict.UNAVAILABLE and clock() > give_up:
                return refusal(503, "model", "has no worker: try again later", 1)
            elif verdict is Verdict.GONE and job.ends == MAX_ENDS:
                return refusal(502, "server", "ended while it had this request, again and again")
            elif verdict is not Verdict.RECALLED:
                await asyncio.sleep(RETRY_SECONDS)
            self._traffic.repeated("deferred" if is_deferred else verdict.name.lower())

    async def _exchange(self, job: Job, head: bytes) -> tuple[Verdict, Answer]:
        """Send a request to the backend once."""
        large = len(job.body) if len(job.body) > self._limits.small_bytes else 0
        if large:
            await self._room.acquire(large)
        try:
            await self._places.acquire()
        except BaseException:
            self._room.release(large)
            raise
        try:
            await self._budget.wait_within()
            if self._backend is None:
                self._leave(large)
                return Verdict.GONE, NO_ANSWER
            backend, client = self._backend
            ticket = backend.tickets.issue()
        except BaseException:
            self._leave(large)
            raise
        self._wanted[ticket] = backend.tickets
        began = asyncio.get_running_loop().time()
        is_finished = is_abandoned = False

        def finish() -> None:
            nonlocal is_finished
            is_finished = True
            self._leave(large)
            if is_abandoned:
                self._budget.release(len(job.body))

        added = f"{TICKET}: {ticket}\r\n"
        if job.measured:
            added += f"{ARRIVED}: {job.arrived:.6f}\r\n"
        if job.seconds is not None:
            added += f"{DEFERRED}: 1\r\n"
        try:
            async with asyncio.timeout(None) as patience:
                self._patience[ticket] = began, patience
                answer = await client.send(head + added.encode() + b"\r\n", job.body, finish)
            if answer.status == NOT_WANTED and ticket not in self._wanted:
                return Verdict.RECALLED, NO_ANSWER
            return backend.verdict(answer)
        except TimeoutError:
            return Verdict.RECALLED, NO_ANSWER
        except EndedError:
            job.ends += 1
            return Verdict.GONE, NO_ANSWER
        except OSError:
            return Verdict.GONE, NO_ANSWER
        except asyncio.CancelledError:
            # The backend keeps the body until it has looked at the request.
            is_abandoned = not is_finished
            if is_abandoned:
                self._budget.hold(len(job.body))
            raise
        finally:
            backend.tickets.withdraw(ticket)
            self._wanted.pop(ticket, None)
            self._patience.pop(ticket, None)

    def _leave(self, large: int) -> None:
        """Give a place in the backend back, with the room of a large body."""
        self._places.release()
        self._room.release(large)

    def _repeat(self, before: float) -> None:
        now = asyncio.get_running_loop().time()
        for began, patience in list(self._patience.values()):
            if began < before:
                patience.reschedule(now)

    def _recall(self) -> None:
        """Take back what the backend has not begun: there is no memory for its answers."""
        for ticket, tickets in self._wanted.items():
            tickets.withdraw(ticket)
        self._wanted.clear()


def _written(version: str) -> str:
    """A version as it stands in a path or a header; an archive may say what it likes."""
    return quote(version, safe="+~")


def _turn(job: Job, turns: Turns) -> AbstractAsyncContextManager[None]:
    if job.deaths:
        return turns.alone()
    return turns.beside() if job.seconds is None else turns.expensive(job.seconds)
