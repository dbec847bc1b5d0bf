"""The bytes of a connection → a request (RFC 9112), within bounds."""

from contextlib import suppress

import httptools

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request, refusal

__all__ = ["RefusalError", "RequestReader"]

MAX_HEADERS = 100
VERSIONS = ("1.0", "1.1")
HEADER_FRAME = len(": \r\n")


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
        has_begun: Whether anything of a request was read; empty lines before it are nothing.
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
        self._read = 0  # bytes in all
        self._head_size = 0  # bytes of line and headers that were parsed
        # One growing buffer: bytes that come one by one would take 40 times their size in a list.
        self._body: bytes | bytearray = b""
        self._refusal: Answer | None = None
        self.keep_alive = True
        self.head: Head | None = None
        self.size = 0
        self.has_begun = False
        self.is_complete = False

    @property
    def is_chunked(self) -> bool:
        """Whether the head leaves the size of the body open."""
        return "transfer-encoding" in self._headers

    @property
    def expected_size(self) -> int:
        """Most bytes that the body will have, of a request whose head was read."""
        if self.is_complete:
            return self.size
        if self.is_chunked:
            return self._limits.body_bytes
        return int(self._headers.get("content-length", "0"))

    def feed(self, data: memoryview) -> None:
        """Read on.

        Raises:
            RefusalError: If this is not a request, or more than the bounds allow.
        """
        self._read += len(data)
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._decline(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if self.is_complete:
                # Of what follows a request nothing is read before the answer: few clients send it,
                # and they send it again if the connection is closed.
                self.keep_alive = False
            elif self._refusal is None:
                self._refusal = refusal(400, "request", f"is not HTTP/1.1: {error}")
        if self._refusal is None and not self.is_complete:
            # What the parser has not told of: it keeps headers and trailers until they are whole.
            with suppress(_StopError):
                if self.head is None:
                    self._check_head(self._read)
                elif self.is_chunked:
                    self._check_frames(self._read - self._head_size - self.size)
        if self._refusal is not None:
            raise RefusalError(self._refusal)

    def request(self) -> Request:
        """The request, after it was read whole; it can be taken once."""
        assert self.head is not None
        body, self._body = self._body, b""
        return Request(self.head, body)

    def _decline(self, rest: memoryview) -> None:
        """Read on as if no other protocol had been asked for, as some clients always do."""
        if self.head is None or self.head.method == "CONNECT":
            self.keep_alive = False
            return
        # The parser has left out the body. Another one reads it.
        framing = (
            "transfer-encoding: chunked"
            if self.is_chunked
            else f"content-length: {self._headers.get('content-length', '0')}"
        )
        self.is_complete = False
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{framing}\r\n\r\n".encode())
        self._parser.feed_data(rest)

    # What httptools calls.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise _StopError

    def on_url(self, url: bytes) -> None:
        self.has_begun = True
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is not None:
            return  # a trailer
        self._head_size += len(name) + len(value) + HEADER_FRAME
        self._check_head(self._head_size)
        if len(self._headers) >= MAX_HEADERS:
            self._refuse(refusal(431, "headers", f"are more than {MAX_HEADERS}"))
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._headers.get(key)
        if known is not None and key == "host":
            self._refuse(refusal(400, "Host", "is there twice"))
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        if self.head is not None:
            return  # as above
        parser, headers = self._parser, self._headers
        method, version = parser.get_method().decode("latin-1"), parser.get_http_version()
        self._head_size += len(method) + len(self._target) + len("  HTTP/1.1\r\n\r\n")
        self._check_head(self._head_size)
        if version not in VERSIONS:
            self._refuse(refusal(505, "request", "must be HTTP/1.1"))
        if version == "1.1" and "host" not in headers:
            self._refuse(refusal(400, "Host", "is missing"))
        coding = headers.get("transfer-encoding")
        # What reads this differently than others do is how requests are smuggled.
        if coding is not None and (coding.strip().lower() != "chunked" or version != "1.1"):
            self._refuse(refusal(501, "Transfer-Encoding", "must be chunked, of HTTP/1.1"))
        self.keep_alive = parser.should_keep_alive()
        self.head = Head(method, self._target.decode("latin-1"), headers)
        if self.expected_size > self._limits.body_bytes:
            self._refuse_body()

    def on_body(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if not self._body:
            self._body = chunk
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body) + chunk
        else:
            self._body += chunk

    def on_message_complete(self) -> None:
        self.is_complete = True
        if self.size > self._limits.body_bytes:
            self._refuse_body()

    def _check_head(self, size: int) -> None:
        most = self._limits.head_bytes
        if size > most:
            self._refuse(refusal(431, "headers", f"take more than {most} bytes with the path"))

    def _check_frames(self, size: int) -> None:
        """Bound what a chunked body has beside its content: sizes, extensions, trailers."""
        slack = self._limits.head_bytes
        if self.size + size > self._limits.body_bytes + slack:
            self._refuse_body()
        if size > slack + self.size // 2:
            self._refuse(refusal(400, "body", "comes in chunks that are too small"))

    def _refuse_body(self) -> None:
        most = self._limits.body_bytes
        self._refuse(refusal(413, "body", f"is larger than {most} bytes: send less"))

    def _refuse(self, answer: Answer) -> None:
        self._refusal = answer
        raise _StopError


class _StopError(Exception):
    """Ends the parser, which reports it as an error of its own."""
