"""Copies of requests: when they are sent, and that no client notices."""

import asyncio

from rvae.serving.gateway import shadows
from rvae.serving.gateway.dispatcher import Job
from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import SHADOW, Share
from tests.support.gateways import Asked, Front, front, until

ALL = Share("2.0", 1.0)


def lines(one: Front) -> list[str]:
    return [asked.line.split()[1] for asked in one.asked]


def test_a_copy_of_what_the_default_was_asked_reaches_the_shadow() -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(200, asked.line.encode())

    async def run() -> None:
        async with front(echo) as one:
            await one.ask(b"before")
            one.gateway.routes.give(SHADOW, "m", ALL)
            answer = await one.ask(b"body", "/predictions/m", "Accept: a/b")
            assert answer.headers["rvae-version"] == "1.0" and b"/m/1.0" in answer.body
            await until(lambda: len(one.asked) == 3)
            original, copy = one.asked[1:]
            assert (copy.line, copy.body) == ("POST /predictions/m/2.0 HTTP/1.1", b"body")
            for headers in (original.headers, copy.headers):
                headers.pop("rvae-ticket")
                headers.pop("rvae-arrived")
            assert original.headers == copy.headers
            await until(lambda: not one.gateway.routes._requests)
            for path in ("/predictions/m/1.0", "/predictions/m/2.0", "/predictions/a"):
                await one.ask(b"pinned", path)
            one.gateway.routes.give(SHADOW, "m", Share("2.0", 0.0))
            await one.ask(b"after")
            assert lines(one)[3:] == [
                "/predictions/m/1.0",
                "/predictions/m/2.0",
                "/predictions/a/1.0",
                "/predictions/m/1.0",
            ]

    asyncio.run(run())


def test_few_copies_at_a_time_and_no_client_waits_for_them() -> None:
    release = asyncio.Event()

    async def hang(asked: Asked) -> Answer:
        if "/m/2.0" in asked.line:
            await release.wait()
            return Answer(500, b"")
        return Answer(200, b"")

    async def run() -> None:
        async with front(hang) as one:
            one.gateway.routes.give(SHADOW, "m", ALL)
            for _ in range(3 * shadows.MOST):
                assert (await one.ask(b"x")).status == 200
            await until(lambda: len(one.gateway._shadows._running) == shadows.MOST)
            assert lines(one).count("/predictions/m/2.0") == shadows.MOST
            # At its end a server does not wait for them.
            await one.gateway.stop(5)
            assert not one.gateway._shadows._running

    asyncio.run(run())


def test_large_copies_are_sent_one_by_one() -> None:
    release = asyncio.Event()

    async def hang(asked: Asked) -> Answer:
        if "/m/2.0" in asked.line:
            await release.wait()
        return Answer(200, b"")

    async def run() -> None:
        async with front(hang) as one:
            one.gateway.routes.give(SHADOW, "m", ALL)
            for _ in range(3):
                await one.ask(b"x" * shadows.MOST_BYTES)
            await until(lambda: lines(one).count("/predictions/m/2.0") == 1)
            assert len(one.gateway._shadows._running) == 1
            release.set()
            await until(lambda: not one.gateway._shadows._running)
            await one.ask(b"x" * shadows.MOST_BYTES)
            await until(lambda: lines(one).count("/predictions/m/2.0") == 2)

    asyncio.run(run())


def test_copies_that_come_at_once_count_before_they_are_sent() -> None:
    async def hang(asked: Asked) -> Answer:
        return Answer(200, b"")

    async def run() -> None:
        async with front(hang) as one:
            one.gateway.routes.give(SHADOW, "m", ALL)
            copies = one.gateway._shadows
            body = bytes(shadows.MOST_BYTES // 2 + 1)
            for _ in range(3):
                copies.copy(Job("predictions", "m", None, {}, body))
            assert len(copies._running) == 1
            await until(lambda: not copies._running)
            assert copies._held == 0 and len(one.asked) == 1

    asyncio.run(run())
