"""A request's way through the backend: its place in the queue, its deadline, its repetition."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from rvae.serving.gateway.backend import Backend, Client, Verdict
from rvae.serving.gateway.budget import ByteBudget
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, refusal
from rvae.serving.gateway.turns import Turns

__all__ = ["Dispatcher", "Job"]

# A request whose worker ends is sent again, without others beside it: the first time another one
# may have ended the worker, the second time somebody else.
MAX_DEATHS = 3
RETRY_SECONDS = 0.1

# Headers between the gateway and workers. Of a request: whether it is still wanted, and that it was
# deferred before. Of an answer: that it was deferred, and how many seconds it will take.
TICKET, DEFERRED = "rvae-ticket", "rvae-deferred"

NO_ANSWER = Answer(502, b"")


@dataclass
class Job:
    """A request for the workers of a model.

    Attributes:
        model: Name of the model.
        head: Line and headers, each with its end, without those that a dispatcher adds.
        body: Body.
        deaths: How many workers ended while they had it.
        seconds: How long it will take, if a worker has deferred it.
    """

    model: str
    head: bytes
    body: bytes
    deaths: int = 0
    seconds: float | None = None


class Dispatcher:
    """Passes requests to a backend, which may be replaced meanwhile.

    Args:
        limits: The bounds.
        budget: Bytes in memory.
    """

    def __init__(self, limits: GatewayLimits, budget: ByteBudget) -> None:
        self._limits = limits
        self._budget = budget
        self._backend: tuple[Backend, Client] | None = None
        self._has_backend = asyncio.Event()
        self._places = asyncio.Semaphore(limits.forwarded)
        # Of the models that have requests now. Their names are what clients say.
        self._turns: WeakValueDictionary[str, Turns] = WeakValueDictionary()
        self._jobs = 0

    def use(self, backend: Backend | None) -> None:
        """Send requests to another backend from now on; without one they wait."""
        if self._backend:
            self._backend[1].close()
        self._backend = (backend, Client(backend.inference)) if backend else None
        if backend:
            self._has_backend.set()
        else:
            self._has_backend.clear()

    async def answer(self, job: Job) -> Answer:
        """The answer to a request, or an error where none came in time."""
        limits = self._limits
        if self._jobs >= limits.forwarded + limits.waiting:
            return refusal(503, "request", "too many requests at once: try again", 1)
        self._jobs += 1
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._answer(job)
        except TimeoutError:
            message = f"was not answered within {limits.seconds:g} s: try again, or ask for less"
            return refusal(503, "request", message, 1)
        finally:
            self._jobs -= 1

    async def _answer(self, job: Job) -> Answer:
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._limits.unavailable_seconds
        turns = self._turns.get(job.model)
        if turns is None:
            turns = self._turns[job.model] = Turns()
        while True:
            await self._has_backend.wait()
            async with _turn(job, turns):
                verdict, answer = await self._exchange(job)
            if verdict is Verdict.ANSWERED and DEFERRED not in answer.headers:
                return answer
            if verdict is Verdict.ANSWERED:
                job.seconds = float(answer.headers[DEFERRED])
                expected = turns.expected_seconds + job.seconds
                if expected > self._limits.seconds:
                    message = "too much was requested at once: try again, or ask for less"
                    return refusal(503, "request", message, round(expected))
            elif verdict is Verdict.DIED:
                job.deaths += 1
                if job.deaths == MAX_DEATHS:
                    message = f"{MAX_DEATHS} workers ended while they had this request"
                    return refusal(500, "request", message)
            elif verdict is Verdict.UNAVAILABLE and clock() > give_up:
                return refusal(503, "model", "has no worker: try again later", 1)
            else:
                await asyncio.sleep(RETRY_SECONDS)

    async def _exchange(self, job: Job) -> tuple[Verdict, Answer]:
        """Send a request to the backend once."""
        await self._budget.wait_within()
        await self._places.acquire()
        if self._backend is None:
            self._places.release()
            return Verdict.GONE, NO_ANSWER
        backend, client = self._backend
        ticket = backend.tickets.issue()
        is_finished = is_abandoned = False

        def finish() -> None:
            nonlocal is_finished
            is_finished = True
            self._places.release()
            if is_abandoned:
                self._budget.release(len(job.body))

        added = f"{TICKET}: {ticket}\r\n" + ("" if job.seconds is None else f"{DEFERRED}: 1\r\n")
        try:
            answer = await client.send(job.head + added.encode() + b"\r\n", job.body, finish)
            return backend.verdict(answer), answer
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


def _turn(job: Job, turns: Turns) -> AbstractAsyncContextManager[None]:
    if job.deaths:
        return turns.alone()
    return turns.beside() if job.seconds is None else turns.one_by_one(job.seconds)
