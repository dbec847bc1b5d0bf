"""Which format a body has, and which one the answer gets."""

import re
from collections.abc import Iterator

from rvae.errors import require_readable
from rvae.serving.contract.error_replies import UnacceptableError, UnsupportedError
from rvae.serving.contract.formats import FORMATS, media_types
from rvae.serving.contract.formats.format import Format
from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.forms import FORM
from rvae.serving.contract.messages import Request

__all__ = ["AMBIGUOUS", "answer_format", "request_format"]

# Sent by programs that do not know the type of the body: its first bytes decide. The last one is
# what curl says of any data.
AMBIGUOUS = {
    "",
    "application/octet-stream",
    FORM,
    "text/plain",
    "application/x-www-form-urlencoded",
}


def request_format(request: Request, body: bytes | bytearray) -> Format:
    """The format of a body.

    Raises:
        UnsupportedError: If its media type is not supported.
        MalformedError: If the length of the JSON in the header exceeds that of the body.
    """
    found = _declared_format(request.content_type, body)
    if request.json_length is None:
        return found
    # The media type is that of JSON and the binary tensors behind it.
    length = request.json_length
    require_readable(
        re.fullmatch(r"\d{1,9}", length, re.ASCII) is not None and 0 < int(length) <= len(body),
        "Inference-Header-Content-Length",
        "must be a part of the length of the body",
    )
    return JSON


def answer_format(accept: str | None, requested: Format) -> Format:
    """The format of the answer: that of the request, unless the header Accept prefers another.

    Raises:
        UnacceptableError: If none is accepted.
    """
    if accept is None or not accept.strip():
        return requested
    weights = dict(_weights(accept))

    def weight(one: Format) -> float:
        names = (one.media_type, f"{one.media_type.partition('/')[0]}/*", "*/*")
        return next((weights[name] for name in names if name in weights), 0.0)

    # In a tie the format of the request, then the first one.
    best = max([requested, *FORMATS], key=weight)
    if weight(best) <= 0:
        raise UnacceptableError("Accept", f"must be one of {', '.join(media_types())}")
    return best


def _declared_format(content_type: str | None, body: bytes | bytearray) -> Format:
    name = (content_type or "").partition(";")[0].strip().lower()
    if name in AMBIGUOUS:
        recognized = (one for one in FORMATS if any(body.startswith(magic) for magic in one.magic))
        return next(recognized, JSON)
    if name.endswith("+json"):
        return JSON
    found = _named(name)
    if found is None:
        raise UnsupportedError(
            "Content-Type", f"must be one of {', '.join(media_types())}: {name} is not supported"
        )
    return found


def _named(name: str) -> Format | None:
    """The first format with this media type or alias."""
    return next((one for one in FORMATS if name in (one.media_type, *one.aliases)), None)


def _weights(accept: str) -> Iterator[tuple[str, float]]:
    """Each media type in a header Accept, and its weight (RFC 9110, section 12.5.1)."""
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter.removeprefix("q="))
                except ValueError:
                    weight = 0.0
        found = _named(name)
        yield (name if found is None else found.media_type), weight
