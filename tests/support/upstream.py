"""A server behind a proxy that a test plays: keeps what it was sent, to the byte."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

__all__ = ["Asked", "Upstream", "answer", "upstream"]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived.

    Attributes:
        line: Its first line.
        headers: Values by name in lower case; none may be there twice.
        body: Its body.
    """

    line: str
    headers: dict[str, str]
    body: bytes


# What is sent back. The connection is closed after it, as the proxy asks for.
Handler = Callable[[Asked], bytes]


def answer(status: int = 200, body: bytes = b"{}", *lines: str) -> bytes:
    """An answer of the server."""
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


@dataclass
class Upstream:
    """A running one.

    Attributes:
        address: Where it listens.
        handler: What answers.
        asked: All that came, in order.
    """

    address: tuple[str, int]
    handler: Handler
    asked: list[Asked] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        """Answer what comes over a connection."""
        with connection, suppress(OSError), connection.makefile("rb") as incoming:
            line = incoming.readline()
            headers: dict[str, str] = {}
            while (one := incoming.readline()) not in (b"\r\n", b""):
                name, _, value = one.decode("latin-1").rstrip("\r\n").partition(": ")
                assert name.lower() not in headers, one
                headers[name.lower()] = value
            body = incoming.read(int(headers.get("content-length", "0")))
            asked = Asked(line.decode("latin-1").rstrip("\r\n"), headers, body)
            self.asked.append(asked)
            connection.sendall(self.handler(asked))


@contextmanager
def upstream(
    handler: Handler = lambda _: answer(), address: tuple[str, int] = ("127.0.0.1", 0)
) -> Iterator[Upstream]:
    """A server that listens until the context is left."""
    with socket.create_server(address, backlog=512) as listening:
        found = Upstream(listening.getsockname(), handler)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    Thread(target=found.serve, args=(connection,), daemon=True).start()

        accepting = Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield found
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
