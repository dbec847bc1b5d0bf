import asyncio
import stat

import pytest

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import (
    Asked,
    Run,
    both_loops,
    front,
    post,
    reply,
    statuses,
    until,
)

LIMITS = GatewayLimits(drain_seconds=0.3)


@both_loops
def test_an_end_answers_what_was_asked_and_takes_nothing_new(run: Run) -> None:
    release = asyncio.Event()

    async def wait(asked: Asked) -> Answer:
        if asked.body == b"slow":
            await release.wait()
        return Answer(200, asked.body)

    async def attack() -> None:
        release.clear()
        async with front(wait, LIMITS) as one:
            idle, idle_writer = await one.connect()
            idle_writer.write(post(b"x"))
            assert b"keep-alive" in await idle.readuntil(b"\r\n\r\n")
            asked = asyncio.create_task(one.raw(post(b"slow")))
            await until(lambda: len(one.asked) == 2)
            ending = asyncio.create_task(one.gateway.stop(10))
            await asyncio.sleep(0)
            # Those that are on their way: on a new connection, and on one that was kept.
            answer = reply(await one.raw(post(b"new")))
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            idle_writer.write(post(b"kept"))
            assert b"close" in await idle.read()
            waiting, waiting_writer = await one.connect()
            assert await waiting.read() == b""  # at the end of the grace
            with pytest.raises(OSError):
                await one.connect()
            assert not ending.done() and not asked.done()
            release.set()
            assert await ending == 0
            answer = reply(await asked)
            assert (answer.body, answer.headers["connection"]) == (b"slow", "close")
            for writer in (idle_writer, waiting_writer):
                writer.close()

    run(attack())


@both_loops
def test_an_end_does_not_wait_for_ever(run: Run) -> None:
    async def wait(asked: Asked) -> Answer:
        await asyncio.sleep(60)
        raise AssertionError

    async def attack() -> None:
        async with front(wait, LIMITS) as one:
            asking = [asyncio.create_task(one.raw(post(b"x"))) for _ in range(3)]
            await until(lambda: len(one.asked) == 3)
            assert await one.gateway.stop(0.2) == 3
            assert {tuple(statuses(await each)) for each in asking} == {()}
            one.gateway.use(None)

    run(attack())


def test_the_socket_for_management_is_for_this_user_alone() -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(200, b"")

    async def run() -> None:
        async with front(echo) as one:
            mode = one.management.stat().st_mode
            assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600

    asyncio.run(run())
