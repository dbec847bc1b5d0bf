import asyncio
from pathlib import Path

import pytest

from rvae.serving.gateway import forwarding
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, Front, Reply, front, reply


async def backend(asked: Asked) -> Answer:
    return Answer(202, asked.line.encode(), {"content-type": "a/b", "pragma": "no-cache"})


def request(method: str, target: str, *lines: str) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""]
    return "\r\n".join(head).encode()


async def ask(where: int | Path, sent: bytes) -> Reply:
    opened = (
        asyncio.open_unix_connection(where)
        if isinstance(where, Path)
        else asyncio.open_connection("127.0.0.1", where)
    )
    reader, writer = await opened
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    return reply(answer)


def test_management_passes_on_what_it_is_asked() -> None:
    async def run() -> None:
        async with front(backend) as one:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
                sent = request(method, "/models?url=m.mar&x=%20", "Accept: c/d", "X-Other: e")
                answer = await ask(one.management, sent)
                assert answer.status == 202
                assert answer.body.decode() == f"{method} /models?url=m.mar&x=%20 HTTP/1.1"
                assert answer.headers["content-type"] == "a/b" and "pragma" not in answer.headers
                headers = {"host": "localhost", "content-length": "0", "accept": "c/d"}
                assert one.asked[-1].headers == headers
            assert (await ask(one.management, request("TRACE", "/models"))).error == (405, "method")

    asyncio.run(run())


def test_metrics_are_read_and_nothing_else() -> None:
    async def run() -> None:
        async with front(backend) as one:
            answer = await ask(one.metrics_port, request("GET", "/metrics?name[]=a"))
            assert answer.status == 200
            for method, path, error in (
                ("GET", "/models", (404, "path")),
                ("POST", "/models?url=/folder", (404, "path")),
                ("GET", "/metrics/../models", (404, "path")),
                ("POST", "/metrics", (405, "method")),
            ):
                assert (await ask(one.metrics_port, request(method, path))).error == error
            assert len(one.asked) == 1

    asyncio.run(run())


def test_web_pages_are_refused() -> None:
    async def run() -> None:
        async with front(backend) as one:
            for where, path in ((one.management, "/models"), (one.metrics_port, "/metrics")):
                sent = request("GET", path, "Origin: http://a")
                assert (await ask(where, sent)).error == (403, "Origin")
            assert one.asked == []

    asyncio.run(run())


def test_a_backend_that_is_gone_or_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(asked: Asked) -> Answer | None:
        if asked.headers["host"]:
            await asyncio.sleep(0 if "gone" in asked.line else 60)
        return None

    async def both(one: Front, path: str) -> tuple[int, str]:
        return (await ask(one.management, request("GET", path))).error

    async def run() -> None:
        async with front(late) as one:
            assert await both(one, "/gone") == (503, "server")
            assert await both(one, "/late") == (504, "server")
            one.manager.use(None)
            assert await both(one, "/models") == (503, "server")

    monkeypatch.setattr(forwarding, "SECONDS", 0.1)
    asyncio.run(run())
