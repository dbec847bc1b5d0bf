import asyncio
import socket
import struct
from contextlib import suppress
from errno import ENOTCONN

import pytest

from rvae.errors import FieldError
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, Run, both_loops, front, post, reply, statuses, until

LIMITS = GatewayLimits(
    body_bytes=400_000,
    answer_bytes=2_000_000,
    buffered_bytes=2_000_000,
    small_bytes=10_000,
    drain_seconds=0.0,
)
QUICK = {"head_seconds": 0.2, "pause_seconds": 0.3, "idle_seconds": 0.4}


def limits(**changed: float) -> GatewayLimits:
    known = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
    return GatewayLimits(**{**known, **changed})


async def echo(asked: Asked) -> Answer:
    return Answer(200, asked.body)


def chunked(body: bytes, size: int = 50_000) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"POST /predictions/m HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    return head + b"Connection: close\r\n\r\n" + framed + b"0\r\n\r\n"


@both_loops
@pytest.mark.parametrize("size", [0, 10_000, 10_001, 399_000, 400_000])
def test_bodies_of_every_size_are_answered_over_one_connection(run: Run, size: int) -> None:
    async def attack() -> None:
        async with front(echo, LIMITS) as one:
            reader, writer = await one.connect()
            for _ in range(3):
                writer.write(post(b"x" * size))
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"200 OK" in head and b"keep-alive" in head
                assert await reader.readexactly(size) == b"x" * size
            assert one.held()["connections"] == 1
            writer.close()
            assert reply(await one.raw(chunked(b"x" * size))).body == b"x" * size
            assert (await one.ask(b"x" * 400_001)).error == (413, "body")

    run(attack())


@both_loops
def test_a_client_is_asked_for_a_body_that_it_holds_back(run: Run) -> None:
    async def attack() -> None:
        async with front(echo, LIMITS) as one:
            for size in (4, 100_000):
                reader, writer = await one.connect()
                head, body = post(b"x" * size, "/predictions/m", "Expect: 100-continue").split(
                    b"\r\n\r\n"
                )
                writer.write(head + b"\r\n\r\n")
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                assert one.asked == []
                writer.write(body)
                assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
                one.asked.clear()
                writer.close()
            # Where it is refused, it is not asked for.
            for line, path, error in (
                ("Content-Length: 9999999", "/predictions/m", (413, "body")),
                ("Content-Length: 4", "/models", (404, "path")),
            ):
                lines = ("Host: x", "Expect: 100-continue", line, "", "")
                sent = "\r\n".join((f"POST {path} HTTP/1.1", *lines)).encode()
                assert reply(await one.raw(sent)).error == error
            assert (await one.ask(b"", "/predictions/m", "Expect: x")).error == (417, "Expect")
            gzip = await one.ask(b"", "/predictions/m", "Content-Encoding: gzip")
            assert gzip.error == (415, "Content-Encoding")

    run(attack())


@both_loops
def test_what_is_sent_before_the_answer_is_dropped_and_the_connection_closed(run: Run) -> None:
    async def fourfold(asked: Asked) -> Answer:
        return Answer(200, asked.body * 4)

    async def attack() -> None:
        async with front(fourfold, LIMITS) as one:
            # With the request, and while the answer is read.
            assert statuses(await one.raw(post(b"1") + post(b"2"))) == [200]
            with socket.socket() as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(link, ("127.0.0.1", one.port))
                await loop.sock_sendall(link, post(b"x" * 400_000))
                await until(lambda: one.held()["bytes"] > 400_000, one.held)
                await loop.sock_sendall(link, post(b"2"))
                received = b""
                while chunk := await asyncio.wait_for(loop.sock_recv(link, 1 << 16), 10):
                    received += chunk
            assert statuses(received) == [200] and len(received) > 1_600_000
            assert [asked.body[:1] for asked in one.asked] == [b"1", b"x"]

    run(attack())


@both_loops
@pytest.mark.parametrize("end", ["close", "half", "reset"])
def test_who_hangs_up_ends_the_work_in_every_state(run: Run, end: str) -> None:
    begun = asyncio.Event()

    async def slow(asked: Asked) -> Answer:
        if asked.body[:1] == b"s":
            return Answer(200, bytes(1_900_000))
        begun.set()
        await asyncio.sleep(0.2)
        return Answer(200, b"")

    async def attack() -> None:
        async with front(slow, LIMITS) as one:
            for sent, state in (
                (b"POST /predic", lambda: True),
                (post(b"x" * 9000)[:-1], lambda: True),
                (post(b"x" * 90_000)[:-1], lambda: one.held()["bytes"]),
                (post(b"x"), lambda: one.held()["jobs"]),
                (post(b"s"), lambda: one.held()["bytes"]),
            ):
                loop = asyncio.get_running_loop()
                with socket.socket() as link:
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    link.setblocking(False)
                    await loop.sock_connect(link, ("127.0.0.1", one.port))
                    await until(lambda: one.held()["connections"], one.held)
                    await loop.sock_sendall(link, sent)
                    await until(state, one.held)
                    if end == "reset":
                        link.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                        )
                    if end == "half":
                        link.shutdown(socket.SHUT_WR)
                        await until(lambda: not one.held()["connections"], one.held)
                await until(lambda: not one.held()["connections"], one.held)
                await until(lambda: not any(one.held().values()), one.held)

    run(attack())


@both_loops
def test_who_is_slow_is_closed_in_every_state(run: Run) -> None:
    async def large(asked: Asked) -> Answer:
        return Answer(200, bytes(1_900_000))

    async def attack() -> None:
        async with front(large, limits(**QUICK)) as one:
            assert await one.raw(b"") == b""
            assert await one.raw(b"\r\n") == b""
            assert reply(await one.raw(b"POST /predictions/m HTTP/1.1\r\n")).error == (
                408,
                "headers",
            )
            for size in (100, 100_000):
                assert reply(await one.raw(post(bytes(size))[:-1])).error == (408, "body")
            # Progress alone is not enough.
            reader, writer = await one.connect()
            writer.write(post(bytes(9000))[:-9000])
            with suppress(ConnectionError):
                while not reader.at_eof() and one.held()["connections"]:
                    writer.write(b"x")
                    await asyncio.sleep(0.05)
            assert statuses(await reader.read()) == [408]
            writer.close()
            # Who does not read.
            with socket.socket() as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.connect(("127.0.0.1", one.port))
                link.sendall(post(b""))
                await until(lambda: one.held()["bytes"], one.held)
                await until(lambda: not any(one.held().values()), one.held)

    run(attack())


def test_who_resets_before_the_end_of_the_answer_ends_no_other_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reset(transport: object) -> None:
        raise OSError(ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr("asyncio.selector_events._SelectorSocketTransport.write_eof", reset)

    async def attack() -> None:
        async with front(echo, limits(**QUICK)) as one:
            for _ in range(2):
                assert statuses(await one.raw(b"POST /predictions/m HTTP/1.1\r\n")) in ([], [408])
                await until(lambda: not any(one.held().values()), one.held)

    asyncio.run(attack())


@both_loops
def test_a_large_body_waits_for_memory_and_a_small_one_does_not(run: Run) -> None:
    async def attack() -> None:
        async with front(echo, limits(buffered_bytes=2_000_000, seconds=0.6)) as one:
            taken = []
            for _ in range(5):
                reader, writer = await one.connect()
                writer.write(post(b"x" * 400_000)[:-1])
                taken.append((reader, writer))
            await until(lambda: one.held()["bytes"] == 2_000_000, one.held)
            assert (await one.ask(b"x" * 10_000)).status == 200
            assert reply(await one.raw(chunked(b"x" * 10_000))).status == 200
            waiting = asyncio.create_task(one.ask(b"x" * 10_001))
            refused = asyncio.create_task(one.ask(b"x" * 400_000))
            await until(lambda: one.held()["connections"] == 7, one.held)
            taken[0][1].write(b"x")
            assert (await taken[0][0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert (await waiting).status == 200
            await refused
            for _, writer in taken:
                writer.close()

    run(attack())


@both_loops
def test_who_keeps_memory_that_others_wait_for_is_closed(run: Run) -> None:
    async def attack() -> None:
        async with front(echo, limits(buffered_bytes=2_000_000)) as one:
            slow = [await one.connect() for _ in range(5)]
            for _, writer in slow:
                writer.write(post(b"x" * 400_000)[:-1])
            await until(lambda: one.held()["bytes"] == 2_000_000, one.held)
            assert (await one.ask(b"x" * 400_000)).status == 200
            reading = [asyncio.create_task(reader.read()) for reader, _ in slow]
            ended, others = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            assert {tuple(statuses(task.result())) for task in ended} == {(408,)}
            for task in others:
                task.cancel()
            for _, writer in slow:
                writer.close()

    run(attack())


def test_a_failure_of_the_gateway_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def attack() -> None:
        async with front(echo, LIMITS) as one:

            async def fail(request: object) -> Answer:
                raise RuntimeError("broken")

            one.gateway.predictions.answer = fail
            assert (await one.ask()).error == (500, "request")

    asyncio.run(attack())
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"seconds": -1}, "seconds"),
        ({"connections": 0}, "connections"),
        ({"buffered_bytes": 1_999_999}, "buffered_bytes"),
    ],
)
def test_bounds_that_cannot_work_are_refused(changed: dict[str, float], field: str) -> None:
    with pytest.raises(FieldError) as error:
        limits(**changed)
    assert error.value.field == field
