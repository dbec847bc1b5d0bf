"""A port for a Unix socket, for clients that speak nothing but TCP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

__all__ = ["forwarded"]


@contextmanager
def forwarded(path: Path) -> Iterator[str]:
    """The address at which a socket is reached meanwhile."""

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as end:
                end.connect(str(path))
                back = Thread(target=pump, args=(end, self.request), daemon=True)
                back.start()
                pump(self.request, end)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Connection) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        yield f"http://{host!s}:{port}"
        server.shutdown()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes until it ends."""
    with suppress(ConnectionError):
        while data := source.recv(1 << 16):
            # What nobody takes any more is read all the same: its sender may still get an answer.
            with suppress(BrokenPipeError):
                sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
