"""What smugglers send: two requests in one, and ways to what is not for clients."""

from tests.support.fault_models import NAME, PATH, WINDOW

__all__ = [
    *("AMBIGUOUS", "CHUNKED", "CHUNKS", "ELSEWHERE", "HIDDEN", "LENGTH", "START", "STRANGE"),
    "statuses",
]

# What a smuggler would have the server behind answer.
HIDDEN = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"

START = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(WINDOW)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(WINDOW), WINDOW)

# Each is refused, or not answered at all; what follows it is never read as a request.
AMBIGUOUS = {
    "length and chunks, elsewhere": START.replace(
        PATH.encode(), f"/v2/models/{NAME}/infer".encode()
    )
    + b"Content-Length: 5\r\n"
    + CHUNKED
    + b"\r\n0\r\n\r\n"
    + HIDDEN,
    "length and chunks": START + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": START + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": START + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "two lengths in one": START + b"Content-Length: 0, 44\r\n\r\n" + HIDDEN,
    "positive length": START + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "negative length": START + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "hexadecimal length": START + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "length with a gap": START + b"Content-Length: 4 4\r\n\r\n" + HIDDEN,
    "empty length": START + b"Content-Length: \r\n\r\n" + HIDDEN,
    "length beyond integers": START + b"Content-Length: 18446744073709551616\r\n\r\n" + HIDDEN,
    "length after a gap": START + b"Content-Length : 0\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "unknown coding": START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding after chunks": START + b"Transfer-Encoding: chunked, identity\r\n\r\n" + HIDDEN,
    "coding twice": START + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding in quotes": START + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + HIDDEN,
    "coding after a tab": START + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding before a gap": START + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding on a folded line": START
    + b"X-A: b\r\n Transfer-Encoding: chunked\r\n"
    + LENGTH
    + b"\r\n"
    + HIDDEN,
    "length on a folded line": START + b"Content-Length:\r\n 0\r\n\r\n" + HIDDEN,
    "size of a chunk beyond integers": START + CHUNKED + b"\r\nfffffffffffffffff\r\n" + HIDDEN,
    "negative size of a chunk": START + CHUNKED + b"\r\n-1\r\n" + HIDDEN,
    "size of a chunk in decimals": START + CHUNKED + b"\r\n0x0\r\n\r\n" + HIDDEN,
    "size of a chunk after a gap": START + CHUNKED + b"\r\n 0\r\n\r\n" + HIDDEN,
    "chunk without an end": START + CHUNKED + b"\r\n2\r\n{}X\r\n0\r\n\r\n" + HIDDEN,
    "extension with a line feed": START + CHUNKED + b"\r\n2;a\n{}\r\n0\r\n\r\n" + HIDDEN,
    "line feed in place of an end": START + CHUNKED + b"\r\n2\n{}\n0\n\n" + HIDDEN,
    "null in a name": START + b"X-\0A: b\r\n\r\n" + HIDDEN,
    "null in a value": START + b"X-A: b\0c\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "carriage return in a value": START + b"X-A: b\rContent-Length: 44\r\n\r\n" + HIDDEN,
    "no name": START + b": b\r\n\r\n" + HIDDEN,
    "no colon": START + b"Content-Length 0\r\n\r\n" + HIDDEN,
    "null in the address": b"POST /predictions/\0rvae HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "gaps in the address": b"GET /ping /models HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "unknown version": b"GET /ping HTTP/1.12\r\nHost: x\r\n\r\n" + HIDDEN,
    "no version": b"GET /ping\r\n" + HIDDEN,
    "no method": b" /ping HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "nulls": bytes(1000),
    "letters": b"A" * 100_000,
    "a long address": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "a long value": START + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n" + HIDDEN,
    "a long name": START + b"a" * 1_000_000 + b": b\r\n\r\n" + HIDDEN,
    "many headers": START + b"X-A: b\r\n" * 100_000 + b"\r\n" + HIDDEN,
    "a tunnel": b"CONNECT localhost:8081 HTTP/1.1\r\nHost: localhost:8081\r\n\r\n" + HIDDEN,
    "an upgrade": b"GET /models HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
}

# Each is strange, but has one meaning: it may be answered, and nothing after it.
STRANGE = {
    "chunks in HTTP/1.0": START.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN,
    "another protocol": b"GET /ping RTSP/1.0\r\nHost: x\r\n\r\n" + HIDDEN,
    "many trailers": START + CHUNKED + b"\r\n0\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n" + HIDDEN,
    "a long extension": START
    + b"Connection: close\r\n"
    + CHUNKED
    + b"\r\n2;"
    + b"a" * 1_000_000
    + b"\r\n{}\r\n0\r\n\r\n"
    + HIDDEN,
}

# Ways to the management of models that a server may take for another path.
ELSEWHERE = [
    *("/models", "//models", "/./models", "/predictions/../models", "/predictions/%2e%2e/models"),
    *(f"{PATH}/../../models", f"{PATH}/%2e%2e/%2e%2e/models", f"{PATH}%2f..%2f..%2fmodels"),
    *("/predictions/..;/models", "/predictions\\..\\models", "/%6dodels", "/models/", "/MODELS"),
    *("/models%00", "/ping/../models", "/ping%2f..%2fmodels", "http://localhost/models", "*"),
    *("http://localhost:8081/models", "/workflows", "/metrics", "/api-description", "/"),
    *(f"/models/{NAME}", f"/v1/models/{NAME}:predict", f"/wfpredict/{NAME}"),
    *("/v2/models", "/v2/../models", "/v2/%2e%2e/models", "/v2/repository/index", "/v2x/models"),
    *(f"/v2/models/{NAME}/infer/../../../models", f"/v2/repository/models/{NAME}/unload"),
    *(f"/v2/models/{NAME}/versions/../../models", f"/v2/models/{NAME}%2f..%2fmodels"),
]


def statuses(heard: bytes) -> list[int]:
    """Of the answers in what was heard."""
    parts = heard.split(b"HTTP/1.1 ")[1:]
    return [int(part[:3]) for part in parts]
