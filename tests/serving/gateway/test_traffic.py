import asyncio
from collections import Counter

import pytest

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request
from rvae.serving.gateway.traffic import REQUEST_SECONDS, USUAL, Load, Traffic
from tests.support.gateways import Asked, Front, front, post, until

LIMITS = GatewayLimits(drain_seconds=0.0, forwarded=2, waiting=1)


def counted(one: Front) -> dict[tuple[str, str, int], int]:
    """What is not zero."""
    return dict(+one.gateway.traffic.requests)


def test_times_are_put_into_buckets_that_hold_their_bounds() -> None:
    traffic = Traffic()
    for seconds in (0.0001, 0.0005, 0.0006, 59, 100):
        traffic.answered("m", "1", 200, seconds)
    *counts, total = traffic.seconds["m", "1"]
    assert len(counts) == len(REQUEST_SECONDS) + 1 and total == pytest.approx(159.0012)
    assert (counts[:2], counts[-2:], sum(counts)) == ([2, 1], [1, 1], 5)
    assert set(traffic.requests) == {("m", "1", one) for one in USUAL}


def test_requests_are_counted_by_the_version_that_has_answered() -> None:
    """Those that name none with those that name it."""

    async def worker(asked: Asked) -> Answer:
        return Answer(422 if asked.body == b"bad" else 200, b"")

    async def run() -> None:
        async with front(worker) as one:
            for path in ("/predictions/m", "/predictions/m/1.0", "/explanations/m/2.0"):
                await one.ask(b"{}", path)
            await one.ask(b"bad", "/predictions/m")
            expected = {("m", "1.0", 200): 2, ("m", "2.0", 200): 1, ("m", "1.0", 422): 1}
            assert counted(one) == expected
            arrived = [float(asked.headers["rvae-arrived"]) for asked in one.asked]
            assert arrived == sorted(arrived) and arrived[0] > 0
            assert sum(one.gateway.traffic.seconds["m", "1.0"][:-1]) == 3

    asyncio.run(run())


def test_what_operators_ask_is_not_counted() -> None:
    async def worker(asked: Asked) -> Answer:
        assert "rvae-arrived" not in asked.headers
        return Answer(200, asked.body)

    async def run() -> None:
        async with front(worker) as one:
            for path, status in (("/predictions/m", 200), ("/predictions/unknown", 404)):
                answer = await one.gateway.unseen.answer(Request(Head("POST", path, {}), b"{}"))
                assert answer.status == status
            assert counted(one) == {} and one.gateway.traffic.seconds == {}

    asyncio.run(run())


def test_what_clients_say_makes_no_new_series() -> None:
    async def worker(asked: Asked) -> Answer:
        return Answer(200, asked.body)

    async def run() -> None:
        async with front(worker, GatewayLimits(drain_seconds=0.0, body_bytes=2000)) as one:
            for name in ("unknown", "other"):
                await one.ask(b"{}", f"/predictions/{name}")
            for version in ("9", "10"):
                await one.ask(b"{}", f"/predictions/m/{version}")
            for path in ("/", "/models", "/predictions/m/1/2/3"):
                await one.ask(b"{}", path)
            await one.ask(b"x" * 2001)
            assert b"400 Bad Request" in await one.raw(b"nonsense\r\n\r\n")
            await one.raw(b"GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            nobody = {("", "", 404): 5, ("", "", 413): 1, ("", "", 400): 1}
            assert counted(one) == nobody | {("m", "", 404): 2}
            assert one.gateway.traffic.seconds == {}

    asyncio.run(run())


def test_what_is_held_now_and_who_has_hung_up() -> None:
    release = asyncio.Event()

    async def worker(asked: Asked) -> Answer:
        await release.wait()
        return Answer(200, asked.body)

    async def run() -> None:
        async with front(worker, LIMITS) as one:
            assert one.gateway.load == Load(0, 0, 0, 0)
            asked = [asyncio.create_task(one.ask(b"{}")) for _ in range(2)]
            await until(lambda: len(one.asked) == 2)
            _, writer = await one.connect()
            writer.write(post(b"{}"))
            await until(lambda: one.gateway.load == Load(3, 1, 2, 0), lambda: one.gateway.load)
            assert (await one.ask(b"{}")).status == 503
            writer.close()
            await until(lambda: counted(one) == {("m", "", 503): 1, ("m", "", 499): 1})
            release.set()
            assert [answer.status for answer in await asyncio.gather(*asked)] == [200, 200]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (Answer(500, b""), "died"),
        (Answer(503, b""), "unavailable"),
        (Answer(503, b"", {"rvae-deferred": "0.7"}), "deferred"),
        (b"what is no HTTP", "gone"),
    ],
)
def test_repetitions_are_counted_by_their_reason(first: Answer | bytes, reason: str) -> None:
    answers = [first, Answer(200, b"")]

    async def worker(asked: Asked) -> Answer | bytes:
        assert asked.body == b"{}"
        return answers.pop(0)

    async def run() -> None:
        async with front(worker) as one:
            assert (await one.ask(b"{}")).status == 200
            assert +one.gateway.traffic.repetitions == Counter({reason: 1})
            assert counted(one) == {("m", "1.0", 200): 1}

    asyncio.run(run())
