"""HTTP/1.1 on the wire (RFC 9112)."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from rvae.serving.gateway.messages import Answer

__all__ = ["CONTINUE", "answer_head", "header_lines", "write"]

COPIED_BYTES = 65_536

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def answer_head(answer: Answer, close: bool) -> bytes:
    """Status line and headers of an answer, with their end."""
    line = _LINES.get(answer.status) or f"HTTP/1.1 {answer.status} \r\n"
    lines = [f"{name}: {value}\r\n" for name, value in answer.headers.items()]
    end = f"content-length: {len(answer.body)}\r\nconnection: {'close' if close else 'keep-alive'}"
    return f"{line}{''.join(lines)}{end}\r\n\r\n".encode("latin-1", "replace")


def header_lines(method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    """Line and headers of a request to a backend, to which others can be added before the end."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n"
    return (head + "".join(lines)).encode("latin-1")


def write(transport: asyncio.WriteTransport, head: bytes, body: bytes | bytearray) -> None:
    """Write head and body: in one piece, which is faster, unless that copies much."""
    if len(body) > COPIED_BYTES:
        transport.writelines((head, body))
    else:
        transport.write(head + body)
