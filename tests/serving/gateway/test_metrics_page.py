import asyncio

import pytest

from rvae.serving.gateway import metrics_page
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, Front, Handler, Reply, front, reply

GET = (
    b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    b"Accept: application/openmetrics\r\n\r\n"
)


async def page(one: Front) -> Reply:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.metrics_port)
    writer.write(GET)
    answer = await reader.read()
    writer.close()
    return reply(answer)


def test_our_own_metrics_come_first_and_then_those_of_the_backend() -> None:
    async def backend(asked: Asked) -> Answer:
        return Answer(200, b"theirs 2\n", {"content-type": "application/openmetrics"})

    async def run() -> None:
        async with front(backend, metrics=b"ours 1\n") as one:
            answer = await page(one)
            assert (answer.status, answer.body) == (200, b"ours 1\ntheirs 2\n")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert one.asked[0].headers["accept"] == "text/plain"

    asyncio.run(run())


async def hangs(asked: Asked) -> Answer | None:
    await asyncio.sleep(60 if asked.body is not None else 0)
    return None


async def fails(asked: Asked) -> Answer:
    return Answer(500, asked.line.encode())


async def ends(asked: Asked) -> None:
    assert asked.line


@pytest.mark.parametrize("backend", [hangs, fails, ends])
def test_our_own_are_told_whatever_the_backend_does(
    backend: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_page, "BACKEND_SECONDS", 0.1)

    async def run() -> None:
        async with front(backend, metrics=b"ours 1\n") as one:
            for _ in range(2):
                answer = await page(one)
                assert (answer.status, answer.body) == (200, b"ours 1\n")
                one.gateway.use(None)

    asyncio.run(run())
