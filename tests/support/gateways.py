"""A gateway in front of a backend that a test plays."""

import asyncio
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest
import uvloop

from rvae.serving.gateway.backend import Backend, Verdict
from rvae.serving.gateway.forwarding import Forwarding
from rvae.serving.gateway.gateway import Gateway
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Application
from rvae.serving.gateway.routes import Served
from rvae.serving.private_socket import PrivateSocket
from rvae.serving.tickets import TicketReader, Tickets

__all__ = [
    "Asked",
    "Front",
    "Handler",
    "Manager",
    "Reply",
    "Run",
    "both_loops",
    "front",
    "passed_on",
    "post",
    "reply",
    "statuses",
    "until",
]

Run = Callable[[Coroutine[Any, Any, None]], None]
# The product runs on the second where it is installed.
both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@dataclass(frozen=True)
class Asked:
    """A request that reached the backend.

    Attributes:
        line: Its first line.
        headers: By name in lower case.
        body: Its body.
    """

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer as a client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        """Status and field of an error."""
        content = orjson.loads(self.body)
        assert set(content) == {"code", "message", "field"} and content["code"] == self.status
        return self.status, content["field"]


class Manager(Application, Protocol):
    """What answers at the socket for management."""

    def use(self, backend: Backend | None) -> None:
        """Speak to another backend from now on."""


Handler = Callable[[Asked], Awaitable[Answer | bytes | None]]
SLOTS = 64
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
# Models that tests ask for.
SERVED = {name: Served("1.0", frozenset({"1.0", "2.0"})) for name in ("m", "hidden", *"abcz")}
HELD = (
    "connections",
    "bytes",
    "idle",
    "jobs",
    "places",
    "room",
    "tickets",
    "wanted",
    "turns",
    "requests",
)
NOTHING = dict.fromkeys(HELD, 0)


@dataclass
class Front:
    """A running gateway.

    Attributes:
        gateway: It.
        port: Port of predictions.
        metrics_port: Port of metrics.
        management: Path of the socket for management.
        backend: What it speaks to.
        asked: What has reached that.
        live: Looks at tickets, as a worker does.
        manager: What answers at the socket for management.
    """

    gateway: Gateway
    port: int
    metrics_port: int
    management: Path
    backend: Backend
    live: TicketReader
    manager: Manager
    asked: list[Asked] = field(default_factory=list)

    def held(self) -> dict[str, int]:
        """What the gateway holds for clients now."""
        gateway, dispatcher = self.gateway, self.gateway._dispatcher
        return {
            "connections": len(gateway._connections),
            "bytes": gateway._connections.budget.held,
            "idle": len(gateway._connections._idle),
            "jobs": dispatcher._jobs,
            "places": gateway._limits.forwarded - dispatcher._places._value,
            "room": dispatcher._room.held,
            "tickets": SLOTS - len(self.backend.tickets._free),
            "wanted": len(dispatcher._wanted),
            "turns": len(dispatcher._turns),
            "requests": len(gateway.routes._requests),
        }

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of a client."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, sent: bytes) -> bytes:
        """What a client is sent, until the connection is closed, for these bytes."""
        reader, writer = await self.connect()
        writer.write(sent)
        with suppress(ConnectionError):
            await writer.drain()
        received = await asyncio.wait_for(_read_all(reader), 10)
        writer.close()
        return received

    async def ask(self, body: bytes = b"{}", path: str = "/predictions/m", *lines: str) -> Reply:
        """The answer to a request of its own connection."""
        sent = post(body, path, "Connection: close", *lines)
        return reply(await self.raw(sent))


def post(body: bytes, path: str = "/predictions/m", *lines: str) -> bytes:
    """A request as a client sends it."""
    head = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def reply(received: bytes) -> Reply:
    """The only answer in what a client has received."""
    head, _, body = received.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = dict(one.lower().split(": ", 1) for one in lines)
    assert len(body) == int(headers["content-length"])
    return Reply(int(line.split()[1]), headers, body)


def by_status(answer: Answer) -> tuple[Verdict, Answer]:
    """What an answer of a played backend means."""
    status = 0 if "rvae-deferred" in answer.headers else answer.status
    verdicts = {500: Verdict.DIED, 503: Verdict.UNAVAILABLE}
    return verdicts.get(status, Verdict.ANSWERED), answer


def passed_on(gateway: Gateway) -> Manager:
    """Management as it is: what stands behind the socket of a server knows TorchServe."""
    return Forwarding(lambda one: one.management, gateway._limits, METHODS)


@asynccontextmanager
async def front(
    handler: Handler,
    limits: GatewayLimits | None = None,
    reasons: tuple[str, ...] = (),
    ready: bool = True,
    metrics: bytes = b"",
    manage: Callable[[Gateway], Manager] = passed_on,
    served: Mapping[str, Served] = SERVED,
) -> AsyncIterator[Front]:
    """A gateway whose backend answers what the handler says: bytes as they are, with None the end.

    It adds what the backend tells to the metrics that are given.

    At its end nothing is left: no connection, no byte, no place, no ticket, no failure of a loop.
    """
    limits = limits or GatewayLimits(drain_seconds=0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tickets = Tickets(folder / "tickets", SLOTS)
        served_at = folder / "backend.sock"
        backend = Backend(served_at, served_at, served_at, tickets, by_status)
        answering = {(name, one.default) for name, one in served.items() if ready}
        gateway = Gateway(limits, lambda: (ready, reasons), lambda: answering, lambda: metrics)
        inference, readers = _bound(), _bound()
        ports = [one.getsockname()[1] for one in (inference, readers)]
        live = TicketReader(folder / "tickets")
        manager = manage(gateway)
        path = folder / "management.sock"
        found = Front(gateway, ports[0], ports[1], path, backend, live, manager)

        serving: list[asyncio.Task[None]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            serving.append(task)
            with suppress(EOFError, OSError, asyncio.CancelledError), closing(writer):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    line, *lines = head.strip().split("\r\n")
                    headers = dict(one.split(": ", 1) for one in lines)
                    body = await reader.readexactly(int(headers["content-length"]))
                    asked = Asked(line, headers, body)
                    found.asked.append(asked)
                    answer = await handler(asked)
                    if answer is None:
                        break
                    writer.write(answer if isinstance(answer, bytes) else _written(answer))

        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
        server = await asyncio.start_unix_server(serve, served_at)
        gateway.routes.update(served)
        gateway.use(backend)
        manager.use(backend)
        private = PrivateSocket(path)
        await gateway.start(inference, readers, private.listener, manager)
        try:
            yield found
        finally:
            gateway.use(None)
            manager.use(None)
            await gateway.stop(0)
            server.close()
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
        await until(lambda: found.held() == NOTHING, found.held)
        assert failures == []


def _written(answer: Answer) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in answer.headers.items()]
    head = f"HTTP/1.1 {answer.status} x\r\ncontent-length: {len(answer.body)}\r\n"
    return (head + "".join(lines) + "\r\n").encode() + answer.body


def _bound() -> socket.socket:
    bound = socket.socket()
    # Of its connections, too: what a client does not read is soon left to the gateway.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    bound.bind(("127.0.0.1", 0))
    return bound


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while chunk := await reader.read(1 << 16):
            received += chunk
    return received


def statuses(received: bytes) -> list[int]:
    """Statuses of all answers in what a client has received."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


async def until(condition: Callable[[], object], told: Callable[[], object] = str) -> None:
    """Return when something is so.

    Raises:
        AssertionError: If it is not in time; it tells what is instead.
    """
    try:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError(told()) from None
