import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from rvae.serving.gateway.backend import Client, EndedError
from rvae.serving.gateway.limits import GatewayLimits
from tests.support.gateways import Run, both_loops, until

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-A: b\r\n\r\nok"
ASKED = b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\n"
LIMITS = GatewayLimits(answer_bytes=1000, seconds=0.2)


class Played:
    """A server that sends what it is told for each request; None ends the connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.connections = self.requests = 0
        self.open: set[asyncio.StreamWriter] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        with suppress(EOFError, OSError), closing(writer):
            while await reader.readexactly(len(ASKED) + 1):
                self.requests += 1
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
        self.open.discard(writer)


@asynccontextmanager
async def played(path: Path, server: Played) -> AsyncIterator[Client]:
    listener = await asyncio.start_unix_server(server, path / "s")
    client = Client(path / "s", LIMITS)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    yield client
    client.close()
    await until(lambda: not server.open)
    listener.close()
    assert failures == []


@both_loops
def test_a_connection_that_idles_keeps_nothing_of_its_last_request(
    run: Run, tmp_path: Path
) -> None:
    class Held:
        """What a request holds as long as it is not finished."""

        def __call__(self) -> None:
            pass

    async def attack() -> None:
        async with played(tmp_path, Played(OK)) as client:
            finished = Held()
            held = weakref.ref(finished)
            await client.send(ASKED, b"x", finished)
            del finished
            assert held() is None

    run(attack())


@both_loops
def test_connections_are_kept_and_replaced_where_the_server_closes_them(
    run: Run, tmp_path: Path
) -> None:
    closing_ok = OK.replace(b"X-A: b", b"connection: close")

    async def attack() -> None:
        server = Played(OK, OK, closing_ok, OK, None, OK, OK, OK)
        async with played(tmp_path, server) as client:
            for _ in range(3):
                answer = await client.send(ASKED, b"x")
                assert (answer.status, answer.body) == (200, b"ok")
            assert server.connections == 1
            assert (await client.send(ASKED, b"x")).headers["x-a"] == "b"
            assert server.connections == 2
            # The server closes a kept connection at the moment of the next request.
            assert (await client.send(ASKED, b"x")).status == 200
            assert (server.connections, server.requests) == (3, 6)
            # Many at once.
            await asyncio.gather(*(client.send(ASKED, b"x") for _ in range(2)))
            assert server.connections == 4

    run(attack())


@both_loops
@pytest.mark.parametrize(
    "bad",
    [
        None,
        b"\0",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000,
    ],
)
def test_a_server_that_does_not_answer_a_request_is_told_from_one_that_is_not_there(
    run: Run, tmp_path: Path, bad: bytes | None
) -> None:
    async def attack() -> None:
        finished = []
        server = Played(bad)
        async with played(tmp_path, server) as client:
            asking = asyncio.create_task(client.send(ASKED, b"x", lambda: finished.append(1)))
            await until(lambda: server.requests)
            for writer in server.open:
                writer.close()
            with pytest.raises(EndedError):
                await asking
            assert finished == [1]
        with pytest.raises(OSError) as error:
            await Client(tmp_path / "none", LIMITS).send(ASKED, b"x", lambda: finished.append(2))
        assert not isinstance(error.value, EndedError) and finished == [1, 2]

    run(attack())


@both_loops
@pytest.mark.parametrize("more", [OK, b"x", b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"])
def test_what_nobody_asked_for_reaches_nobody(run: Run, tmp_path: Path, more: bytes) -> None:
    async def attack() -> None:
        server = Played(OK + more, OK, OK)
        async with played(tmp_path, server) as client:
            assert (await client.send(ASKED, b"x")).status == 200
            assert (await client.send(ASKED, b"x")).status == 200
            assert server.connections == 2
            for writer in server.open:
                writer.write(more)
            await until(lambda: not server.open)
            assert (await client.send(ASKED, b"x")).body == b"ok"
            assert server.connections == 3

    run(attack())


@both_loops
def test_who_gives_up_is_told_of_the_end_once_and_not_later_than_the_limit(
    run: Run, tmp_path: Path
) -> None:
    async def give_up(client: Client, ended: Callable[[], None], server: Played) -> None:
        asking = asyncio.create_task(client.send(ASKED, b"x", ended))
        await until(lambda: server.requests)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()

    async def attack() -> None:
        ended: list[int] = []
        server = Played(b"")
        async with played(tmp_path, server) as client:
            await give_up(client, lambda: ended.append(1), server)
            assert ended == []
            await until(lambda: ended)  # hung: the connection is given up
            await until(lambda: not server.open)
        server = Played(b"", OK)
        async with played(tmp_path, server) as client:
            await give_up(client, lambda: ended.append(2), server)
            for writer in server.open:
                writer.write(OK)
            await until(lambda: ended == [1, 2])
            await asyncio.sleep(2 * LIMITS.seconds)
            assert (await client.send(ASKED, b"x")).status == 200 and server.connections == 1
            assert ended == [1, 2]

    run(attack())


def test_after_its_end_a_client_keeps_no_connection(tmp_path: Path) -> None:
    async def attack() -> None:
        server = Played(b"")
        async with played(tmp_path, server) as client:
            asking = asyncio.create_task(client.send(ASKED, b"x"))
            await until(lambda: server.requests)
            client.close()
            for writer in server.open:
                writer.write(OK)
            assert (await asking).status == 200
            await until(lambda: not server.open)

    asyncio.run(attack())
