"""A server that answers as a script says: rightly, wrongly, slowly, in part, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from rvae.serving.contract.messages import Reply, Request
from rvae.serving.service import Service

__all__ = [
    "Fault",
    "FaultyServer",
    "changed",
    "cut",
    "cut_without_length",
    "drip",
    "drop",
    "faulty_server",
    "hang",
    "right",
    "status",
]

# What to make of a right answer: writes to the handler, and may close the connection.
Fault = Callable[["_Handler", Reply], None]


@dataclass
class FaultyServer:
    """A server of one model.

    Attributes:
        url: Its address.
        service: What answers rightly.
        faults: What is made of the next answers, in order; later ones are right.
        asked: Paths of all requests, in order.
        bodies: Bodies of all predictions, in order.
        keys: Values of the header Authorization, of those requests that had one.
        connections: Connections so far.
        ended: Set at the end of the test.
    """

    url: str
    service: Service
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    connections: int = 0
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request | None) -> tuple[Reply, Fault]:
        """The right answer to a request, or a description, and what is made of it."""
        with self.lock:
            if request is None:
                return self.service.describe_publicly(), right
            (reply,) = self.service.answer([request])
            return reply, self.faults.pop(0) if self.faults else right


def right(handler: "_Handler", reply: Reply) -> None:
    """Answer as it should be."""
    handler.write(reply.status, reply.body, {"Content-Type": reply.content_type})


def status(code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Fault:
    """Answer with another status."""
    return lambda handler, _: handler.write(code, body, headers or {})


def cut(handler: "_Handler", reply: Reply) -> None:
    """End in the middle of the body."""
    handler.head(reply.status, {"Content-Length": str(len(reply.body))})
    handler.wfile.write(reply.body[: len(reply.body) // 2])
    handler.close_connection = True


def cut_without_length(handler: "_Handler", reply: Reply) -> None:
    """End in the middle of a body whose length nobody was told."""
    handler.head(reply.status, {})
    handler.wfile.write(reply.body[: len(reply.body) // 2])
    handler.close_connection = True


def drop(handler: "_Handler", reply: Reply) -> None:
    """End without a word."""
    handler.close_connection = True


def hang(handler: "_Handler", reply: Reply) -> None:
    """Never answer."""
    handler.faulty.ended.wait(60)
    handler.close_connection = True


def drip(handler: "_Handler", reply: Reply) -> None:
    """Send a byte now and then, for ever: headers first."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not handler.faulty.ended.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    handler.close_connection = True


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """Answer with another body."""
    return lambda handler, reply: handler.write(200, change(reply.body), {})


class _Handler(BaseHTTPRequestHandler):
    faulty: FaultyServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.faulty.lock:
            self.faulty.connections += 1

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.faulty.lock:
            self.faulty.bodies.append(body)
        self._answer(
            Request(
                body,
                content_type=self.headers["Content-Type"],
                accept=self.headers["Accept"],
                options=self.headers["Rvae-Options"],
            )
        )

    def _answer(self, request: Request | None) -> None:
        with self.faulty.lock:
            self.faulty.asked.append(self.path)
            if key := self.headers["Authorization"]:
                self.faulty.keys.append(key)
        reply, fault = self.faulty.answer(request)
        fault(self, reply)

    def head(self, code: int, headers: dict[str, str]) -> None:
        """Write line and headers."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def write(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        """Write a whole answer."""
        self.head(code, headers | {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def faulty_server(service: Service) -> Iterator[FaultyServer]:
    """A server of a model, which has no faults yet."""

    class Handler(_Handler):
        pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients may hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    faulty = FaultyServer(f"http://127.0.0.1:{server.server_port}", service)
    Handler.faulty = faulty
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield faulty
    finally:
        faulty.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
