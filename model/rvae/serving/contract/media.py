"""Kinds of bodies: which one came, and which one the answer is to be."""

from collections.abc import Iterator
from enum import StrEnum

from rvae.serving.contract.faults import UnacceptableError, UnsupportedError

__all__ = ["Media", "sent", "wanted"]


class Media(StrEnum):
    """What bodies may be, by the name that answers carry."""

    JSON = "application/json"
    CSV = "text/csv"
    NPY = "application/octet-stream"
    ARROW = "application/vnd.apache.arrow.stream"


NAMED = {
    "application/json": Media.JSON,
    "text/json": Media.JSON,
    "text/csv": Media.CSV,
    "application/csv": Media.CSV,
    "application/x-npy": Media.NPY,
    "application/vnd.apache.arrow.stream": Media.ARROW,
    "application/vnd.apache.arrow.file": Media.ARROW,
}

# What programs say that know nothing of the body. Its first bytes tell more.
UNTOLD = {"", "application/octet-stream", "multipart/form-data", "text/plain"}
MAGIC = {b"\x93NUMPY": Media.NPY, b"\xff\xff\xff\xff": Media.ARROW, b"ARROW1": Media.ARROW}


def sent(content_type: str | None, body: bytes | bytearray) -> Media:
    """Which kind of body came.

    Raises:
        UnsupportedError: If it is none of those that are read.
    """
    name = (content_type or "").partition(";")[0].strip().lower()
    if name in NAMED:
        return NAMED[name]
    if name.endswith("+json"):
        return Media.JSON
    if name not in UNTOLD:
        raise UnsupportedError(
            "Content-Type", f"send {', '.join(Media)} as it is: {name} is not read here"
        )
    return next((media for magic, media in MAGIC.items() if body.startswith(magic)), Media.JSON)


def wanted(accept: str | None, media: Media) -> Media:
    """Which kind the answer is to be: that of the body, unless the header Accept is against it.

    Raises:
        UnacceptableError: If none is accepted.
    """
    if accept is None or not accept.strip():
        return media
    weights = dict(_weights(accept))

    def weight(one: Media) -> float:
        most = f"{one.partition('/')[0]}/*"
        return next((weights[name] for name in (one, most, "*/*") if name in weights), 0.0)

    # Of equals the kind that came, then the first that there is.
    best = max([media, *Media], key=weight)
    if weight(best) <= 0:
        raise UnacceptableError("Accept", f"there are answers of {', '.join(Media)}")
    return best


def _weights(accept: str) -> Iterator[tuple[str, float]]:
    """Each kind in a header Accept, and its weight (RFC 9110, section 12.5.1)."""
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter.removeprefix("q="))
                except ValueError:
                    weight = 0.0
        yield str(NAMED.get(name, name)), weight
