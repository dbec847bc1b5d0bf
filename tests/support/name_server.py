"""A DNS server that knows one list of addresses."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

__all__ = ["NameServer", "name_server"]

IPV4 = b"\x00\x01\x00\x01"  # type A, class IN


@dataclass
class NameServer:
    """A running one.

    Attributes:
        port: Its port on loopback.
        addresses: Of every name, whatever it is.
    """

    port: int
    addresses: Sequence[str] = field(default_factory=list)

    def reply(self, question: bytes) -> bytes:
        """The answer to a question (RFC 1035)."""
        end = question.index(b"\0", 12) + 5
        known = self.addresses if question[end - 4 : end] == IPV4 else ()
        head = question[:2] + b"\x81\x80\x00\x01" + len(known).to_bytes(2) + bytes(4)
        life = (600).to_bytes(4)  # as Docker's: what asks must not keep it for so long
        records = (b"\xc0\x0c" + IPV4 + life + b"\x00\x04" + socket.inet_aton(one) for one in known)
        return head + question[12:end] + b"".join(records)


@contextmanager
def name_server() -> Iterator[NameServer]:
    """A server that answers until the context is left."""
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.1)
        found = NameServer(bound.getsockname()[1])
        is_over = False

        def serve() -> None:
            while not is_over:
                with suppress(TimeoutError):
                    question, sender = bound.recvfrom(1500)
                    bound.sendto(found.reply(question), sender)

        serving = Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield found
        finally:
            is_over = True
            serving.join(10)
