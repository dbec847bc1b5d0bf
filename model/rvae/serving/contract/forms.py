"""Forms: the part of a multipart body that holds the request (RFC 7578)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from rvae.errors import MalformedError, require_readable
from rvae.serving.contract.messages import Request

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["FORM", "MAX_PARTS", "PLACES", "in_form", "request_in_form"]

FORM = "multipart/form-data"

# Names of the part that holds the request, the first of which counts.
PLACES = ("body", "data")

# A request is one part. Clients may add a few of their own.
MAX_PARTS = 8
MAX_HEADERS, MAX_HEADER = 8, 1024

# The parser writes a line to the log for all that is wrong with a body.
SILENT = logging.Logger("forms", logging.CRITICAL)


@dataclass
class Part:
    """A part of a form.

    Attributes:
        headers: Its headers, with names in lower case.
        start: Where its content begins in the body.
        end: Where that ends.
    """

    headers: dict[str, str] = field(default_factory=dict)
    start: int = 0
    end: int = 0

    def option(self, name: str) -> str | None:
        """An option of the header Content-Disposition."""
        return _options(self.headers.get("content-disposition", "")).get(name)


def in_form(request: Request, body: bytes | bytearray) -> bool:
    """Whether a body is a form as a whole: a server may have taken the part out of it before."""
    if (request.content_type or "").partition(";")[0].strip().lower() != FORM:
        return False
    boundary = _boundary(request)
    return boundary is not None and body.lstrip(b"\r\n").startswith(b"--" + boundary)


def request_in_form(request: Request, body: bytes | bytearray) -> tuple[Request, bytes]:
    """The request that a form holds, and its body.

    It is the part named body, or data, or else the only file.

    Raises:
        MalformedError: If the form cannot be read, or none or several of its parts can be meant.
    """
    parts = _parts(body, _boundary(request) or b"")
    names = [part.option("name") for part in parts]
    found = [part for part in parts if part.option("filename") is not None]
    for name in PLACES:
        if name in names:
            require_readable(names.count(name) == 1, name, "is the name of two parts of the form")
            found = [parts[names.index(name)]]
            break
    if len(found) != 1:
        said = ", ".join(str(name)[:50] for name in names) or "no part"
        raise MalformedError(
            "body",
            f"the form must have a part named {' or '.join(PLACES)}, or one file: got {said}",
        )
    (part,) = found
    content = bytes(memoryview(body)[part.start : part.end])
    require_readable(len(content) > 0, "body", "the part of the form is empty")
    return replace(request, body=content, content_type=part.headers.get("content-type")), content


def _boundary(request: Request) -> bytes | None:
    boundary = _options(request.content_type or "").get("boundary")
    return boundary.encode("latin-1", errors="replace") if boundary else None


def _options(header: str) -> Mapping[str, str]:
    """The options of a header such as Content-Type."""
    # Few servers see a form: import it for those.
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(header.encode("latin-1", errors="replace"))
    return {
        name.decode("latin-1"): value.decode(errors="replace") for name, value in options.items()
    }


def _parts(body: bytes | bytearray, boundary: bytes) -> list[Part]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    # No part may hold the line that ends it: the parser would take seconds over a million of them.
    lines = body.count(b"\r\n--" + boundary)
    require_readable(lines <= MAX_PARTS, "body", f"the form has over {MAX_PARTS} parts")
    parts: list[Part] = []
    header = {"name": b"", "value": b""}
    ended: list[bool] = []

    def add(key: str, data: bytes, start: int, end: int) -> None:
        header[key] += data[start:end]

    def finish_header() -> None:
        name, value = (header[key].decode(errors="replace") for key in ("name", "value"))
        parts[-1].headers[name.strip().lower()] = value.strip()
        header.update(name=b"", value=b"")

    def content(_: bytes, start: int, end: int) -> None:
        part = parts[-1]
        part.start, part.end = part.start or start, end

    calls: MultipartCallbacks = {
        "on_part_begin": lambda: parts.append(Part()),
        "on_header_field": partial(add, "name"),
        "on_header_value": partial(add, "value"),
        "on_header_end": finish_header,
        "on_part_data": content,
        "on_end": lambda: ended.append(True),
    }
    try:
        parser = MultipartParser(
            boundary, calls, max_header_count=MAX_HEADERS, max_header_size=MAX_HEADER
        )
        parser.logger = SILENT
        parser.write(bytes(body))
    except FormParserError as error:
        raise MalformedError("body", f"is not a form that can be read: {error}") from None
    require_readable(bool(ended), "body", "is a form that ends early")
    return parts
