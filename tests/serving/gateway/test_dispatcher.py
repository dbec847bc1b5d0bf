import asyncio
from collections.abc import Callable

import pytest

from rvae.serving.gateway import dispatcher
from rvae.serving.gateway.dispatcher import MAX_ENDS
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, front, post, statuses, until

DIED = Answer(500, b"")
UNAVAILABLE = Answer(503, b"")
DEFERRED = Answer(503, b"", {"rvae-deferred": "0.7"})


def limits(**changed: float) -> GatewayLimits:
    return GatewayLimits(**{"drain_seconds": 0.0, **changed})  # type: ignore[arg-type]


def test_requests_whose_worker_ended_are_sent_again_alone_and_the_fatal_one_fails() -> None:
    beside: dict[bytes, int] = {}
    running: set[bytes] = set()

    async def worker(asked: Asked) -> Answer:
        # As a batch: all that run beside the fatal one share its fate.
        running.add(asked.body)
        await asyncio.sleep(0.02)
        fatal = b"fatal" in running
        beside[asked.body] = len(running)
        await asyncio.sleep(0.02)
        running.discard(asked.body)
        return DIED if fatal else Answer(200, asked.body)

    async def run() -> None:
        async with front(worker) as one:
            bodies = [b"a", b"b", b"fatal", b"c"]
            answers = await asyncio.gather(*(one.ask(body) for body in bodies))
            assert [answer.status for answer in answers] == [200, 200, 500, 200]
            assert answers[2].error == (500, "request")
            assert [asked.body for asked in one.asked].count(b"fatal") == 3
            assert all(beside[body] == 1 for body in bodies)

    asyncio.run(run())


def test_who_hangs_workers_hangs_two_of_them_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "HANGING_SECONDS", 0.05)

    async def worker(asked: Asked) -> Answer:
        await asyncio.sleep(0.1)  # until the supervisor ends it
        return DIED

    async def run() -> None:
        async with front(worker) as one:
            assert (await one.ask()).error == (500, "request")
            assert len(one.asked) == 2

    asyncio.run(run())


def test_deferred_requests_run_one_after_another_and_others_overtake_them() -> None:
    at_once, most, order = 0, 0, []

    async def worker(asked: Asked) -> Answer:
        nonlocal at_once, most
        if asked.body == b"dear" and "rvae-deferred" not in asked.headers:
            return DEFERRED
        if asked.body == b"dear":
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.05)
            at_once -= 1
        order.append(asked.body)
        return Answer(200, asked.body)

    async def run() -> None:
        async with front(worker) as one:
            dear = [asyncio.create_task(one.ask(b"dear")) for _ in range(5)]
            await until(lambda: at_once == 1)
            assert (await one.ask(b"cheap")).status == 200
            assert {answer.status for answer in await asyncio.gather(*dear)} == {200}
            assert most == 1
            assert order.index(b"cheap") < 2

    asyncio.run(run())


def test_deferred_requests_that_cannot_be_in_time_are_told_when_to_come_again() -> None:
    held = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        if "rvae-deferred" not in asked.headers:
            return Answer(503, b"", {"rvae-deferred": "40"})
        await held.wait()
        return Answer(200, b"")

    async def run() -> None:
        async with front(worker, limits(seconds=60)) as one:
            first = asyncio.create_task(one.ask(b"1"))
            await until(lambda: len(one.asked) == 2)
            second = await one.ask(b"2")
            assert second.error == (503, "request")
            assert second.headers["retry-after"] == "80"
            held.set()
            assert (await first).status == 200

    asyncio.run(run())


def test_small_requests_overtake_large_ones() -> None:
    release = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        if len(asked.body) > 1000:
            await release.wait()
        return Answer(200, asked.body[:1])

    async def run() -> None:
        bounds = limits(small_bytes=1000, forwarded_bytes=5000, forwarded=4)
        async with front(worker, bounds) as one:
            large = [asyncio.create_task(one.ask(b"x" * 2000)) for _ in range(5)]
            await until(lambda: one.gateway._dispatcher._jobs == 5)
            _, hasty = await one.connect()
            hasty.write(post(b"x" * 2000))
            await until(lambda: one.gateway._dispatcher._jobs == 6)
            assert (await one.ask(b"y")).body == b"y"
            assert len(one.asked) == 3  # two of 2000 bytes, and the small one
            hasty.close()  # while it waits
            await until(lambda: one.gateway._dispatcher._jobs == 5)
            release.set()
            assert [(await each).body for each in large] == [b"x"] * 5

    asyncio.run(run())


def test_the_ticket_of_a_request_ends_when_its_client_hangs_up() -> None:
    release = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        await release.wait()
        return Answer(200, b"")

    async def run() -> None:
        async with front(worker, limits(forwarded=1)) as one:
            _, writer = await one.connect()
            writer.write(post(b"x" * 100_000))
            await until(lambda: one.asked)
            ticket = one.asked[0].headers["rvae-ticket"]
            assert one.live.is_live(ticket)
            writer.close()
            await until(lambda: not one.live.is_live(ticket))
            # The backend still has it: its place and its bytes are given back with the answer.
            later = asyncio.create_task(one.ask(b"later"))
            await asyncio.sleep(0.05)
            assert len(one.asked) == 1 and one.gateway._connections.budget.held == 100_000
            release.set()
            assert (await later).status == 200
            assert one.gateway._connections.budget.held == 0

    asyncio.run(run())


def test_a_request_that_is_late_is_answered_and_not_wanted_any_more() -> None:
    async def worker(asked: Asked) -> Answer:
        await asyncio.sleep(60)
        raise AssertionError

    async def run() -> None:
        async with front(worker, limits(seconds=0.1)) as one:
            answer = await one.ask()
            assert answer.error == (503, "request") and "retry-after" in answer.headers
            assert not one.live.is_live(one.asked[0].headers["rvae-ticket"])

    asyncio.run(run())


def test_more_requests_than_may_wait_are_refused_at_once() -> None:
    release = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        await release.wait()
        return Answer(200, b"")

    async def run() -> None:
        async with front(worker, limits(forwarded=2, waiting=3)) as one:
            served = [asyncio.create_task(one.ask()) for _ in range(5)]
            await until(lambda: one.gateway._dispatcher._jobs == 5)
            refused = await one.ask()
            assert refused.error == (503, "request") and refused.headers["retry-after"] == "1"
            assert len(one.asked) == 2
            release.set()
            assert [answer.status for answer in await asyncio.gather(*served)] == [200] * 5

    asyncio.run(run())


def test_a_model_without_a_worker_is_waited_for_and_then_refused() -> None:
    answers = [UNAVAILABLE, UNAVAILABLE, Answer(200, b"")]

    async def worker(asked: Asked) -> Answer:
        return answers.pop(0) if answers else UNAVAILABLE

    async def run() -> None:
        async with front(worker, limits(unavailable_seconds=0.4)) as one:
            assert (await one.ask()).status == 200
            assert (await one.ask()).error == (503, "model")

    asyncio.run(run())


def test_what_a_worker_took_along_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "REPEAT_SECONDS", 0.1)
    monkeypatch.setattr(dispatcher, "TAKEN_SECONDS", 0.0)
    forgotten = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        if len(one_asked) < 2:
            one_asked.append(asked)
            await forgotten.wait()
        return Answer(200, asked.body)

    async def run() -> None:
        async with front(worker) as one:
            early = asyncio.create_task(one.ask(b"early"))
            await until(lambda: len(one_asked) == 1)
            one.gateway.repeat()
            await asyncio.sleep(0.02)
            late = asyncio.create_task(one.ask(b"late"))
            assert (await early).body == b"early"
            assert not one.live.is_live(one_asked[0].headers["rvae-ticket"])
            # What was sent after the worker's end is with another one.
            assert not late.done() and [asked.body for asked in one_asked] == [b"early", b"late"]
            forgotten.set()
            assert (await late).body == b"late"

    one_asked: list[Asked] = []
    asyncio.run(run())


def test_requests_wait_for_the_backend_that_replaces_one_that_ended() -> None:
    is_new = False

    async def worker(asked: Asked) -> Answer | None:
        return Answer(200, b"new") if is_new else None

    async def run() -> None:
        nonlocal is_new
        async with front(worker) as one:
            waiting = asyncio.create_task(one.ask())
            await until(lambda: one.asked)
            one.gateway.use(None)
            other = asyncio.create_task(one.ask())
            await asyncio.sleep(0.15)
            assert not waiting.done() and not other.done()
            is_new = True
            one.gateway.use(one.backend)
            assert [(await each).body for each in (waiting, other)] == [b"new", b"new"]

    asyncio.run(run())


def test_what_is_not_begun_is_taken_back_while_answers_fill_the_memory() -> None:
    lock, computed = asyncio.Lock(), []
    is_live: Callable[[str], bool] = str.isascii

    async def worker(asked: Asked) -> Answer:
        async with lock:
            await asyncio.sleep(0.01)
            if not is_live(asked.headers["rvae-ticket"]):
                return Answer(408, b"nobody waits")
            computed.append(asked.body)
            return Answer(200, asked.body * 1_000_000)

    async def run() -> None:
        nonlocal is_live
        bounds = limits(
            body_bytes=1000, answer_bytes=1_100_000, buffered_bytes=1_500_000, pause_seconds=1
        )
        async with front(worker, bounds) as one:
            is_live = one.live.is_live
            most = 0
            links = [await one.connect() for _ in range(8)]
            for _, writer in links:
                writer.write(post(b"x", "/predictions/m", "Connection: close"))
            # Nobody reads: the first answers fill the memory, the others are not computed.
            for _ in range(30):
                await asyncio.sleep(0.01)
                most = max(most, one.held()["bytes"])
            assert 1_500_000 < most < 3_000_000 and len(computed) <= 3
            assert one.held()["wanted"] == 0 and len(one.asked) == 8
            received = await asyncio.gather(*(reader.read() for reader, _ in links))
            assert [statuses(each) for each in received] == [[200]] * 8 and len(computed) == 8
            for _, writer in links:
                writer.close()

    asyncio.run(run())


def test_a_request_that_the_backend_never_answers_is_not_sent_for_ever() -> None:
    async def worker(asked: Asked) -> Answer | None:
        return None

    async def run() -> None:
        async with front(worker) as one:
            assert (await one.ask()).error == (502, "server")
            assert len(one.asked) == MAX_ENDS

    asyncio.run(run())


def test_what_was_deferred_is_not_deferred_again() -> None:
    async def worker(asked: Asked) -> Answer:
        return Answer(503, b"busy", {"rvae-deferred": "0.1"})

    async def run() -> None:
        async with front(worker) as one:
            assert (await one.ask()).body == b"busy" and len(one.asked) == 2

    asyncio.run(run())
