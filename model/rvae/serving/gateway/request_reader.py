"""The bytes of a connection → a request (RFC 9112), within bounds."""

from contextlib import suppress

import httptools

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request, refusal

__all__ = ["RefusalError", "RequestReader"]

MAX_HEADERS = 100


class RefusalError(Exception):
    """A request that is not read to its end.

    Attributes:
        answer: What the client is told.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class RequestReader:
    """Reads one request.

    Attributes:
        head: Line and headers, once they are there.
        size: Bytes of the body so far.
        is_complete: Whether the request was read whole.
        keep_alive: Whether the client may send another request over the connection.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._chunks: list[bytes] = []
        self._refusal: Answer | None = None
        self.keep_alive = True
        self.head: Head | None = None
        self.size = 0
        self.is_complete = False

    @property
    def has_begun(self) -> bool:
        """Whether anything of a request was read."""
        return self._head_size > 0

    @property
    def expected_size(self) -> int:
        """Most bytes that the body will have, of a request whose head was read."""
        if "transfer-encoding" in self._headers:
            return self._limits.body_bytes
        return int(self._headers.get("content-length", "0"))

    def feed(self, data: memoryview) -> None:
        """Read on.

        Raises:
            RefusalError: If this is not a request, or more than the bounds allow.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.keep_alive = False  # no other protocol is spoken here
        except httptools.HttpParserError as error:
            if self.is_complete:
                # Of what follows a request nothing is read before the answer: few clients send it,
                # and they send it again if the connection is closed.
                self.keep_alive = False
            elif self._refusal is None:
                self._refusal = refusal(400, "request", f"is not HTTP/1.1: {error}")
        if self.head is None and self._refusal is None:
            # The parser keeps what it has of a header to itself.
            with suppress(_StopError):
                self._count(len(data))
        if self._refusal is not None:
            raise RefusalError(self._refusal)

    def request(self) -> Request:
        """The request, after it was read whole; it can be taken once."""
        assert self.head is not None
        body, self._chunks = b"".join(self._chunks), []
        return Request(self.head, body)

    # What httptools calls.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise _StopError

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is not None:
            return  # a trailer
        self._count(len(name) + len(value))
        if len(self._headers) >= MAX_HEADERS:
            self._refuse(refusal(431, "headers", f"are more than {MAX_HEADERS}"))
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        self._count(len(self._target))
        self.keep_alive = self._parser.should_keep_alive()
        method = self._parser.get_method().decode("latin-1")
        self.head = Head(method, self._target.decode("latin-1"), self._headers)
        if self.expected_size > self._limits.body_bytes:
            self._refuse_body()

    def on_body(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._chunks.append(chunk)
        if self.size > self._limits.body_bytes:
            self._refuse_body()

    def on_message_complete(self) -> None:
        self.is_complete = True

    def _count(self, size: int) -> None:
        self._head_size += size
        most = self._limits.head_bytes
        if self._head_size > most:
            self._refuse(refusal(431, "headers", f"take more than {most} bytes with the path"))

    def _refuse_body(self) -> None:
        most = self._limits.body_bytes
        self._refuse(refusal(413, "body", f"is larger than {most} bytes: send less"))

    def _refuse(self, answer: Answer) -> None:
        self._refusal = answer
        raise _StopError


class _StopError(Exception):
    """Ends the parser, which reports it as an error of its own."""
