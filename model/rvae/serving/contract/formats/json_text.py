"""JSON text → objects, and objects → JSON text."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson

from rvae.errors import MalformedError, require, require_readable
from rvae.serving.contract.inputs.lists import json_type
from rvae.serving.contract.messages import Request

__all__ = ["dump_json", "header_options", "json_object", "load_json", "require_flat"]

HINT = (
    "; send JSON with Content-Type: application/json, or another format with its own, as text/csv"
)

# Characters of a request for each of its lists and objects, at the least, and how many it may lack:
# tensors are objects, of more characters each.
LIST_WEIGHT, OBJECT_WEIGHT, SLACK = 3, 12, 256


def load_json(text: bytes | memoryview, field: str, hint: str = "") -> Any:
    """Parse JSON.

    Args:
        text: In UTF-8.
        field: Name of the text in errors.
        hint: How to correct text that does not begin like an object or a list.

    Raises:
        MalformedError: If it is not valid JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if bytes(text[:2]) in (b"\x1f\x8b", b"PK"):
            hint = "; it looks compressed: send JSON, or .npy instead of .npz, without compression"
        elif bytes(text[:1]) in b" \t\r\n[{":
            nan = "; JSON has no NaN, write null for a missing value"
            hint = nan if b"NaN" in bytes(text) else ""
        raise MalformedError(field, f"is not valid JSON: {error}{hint}") from None


def require_flat(text: bytes | memoryview) -> None:
    """Refuse JSON with more lists and objects for its length than any request has.

    They take fifty times the memory of their brackets. Series are lists of lists of numbers, with
    three characters for each list at least, and objects are few.

    Raises:
        MalformedError: If there are too many.
    """
    whole, most = bytes(text), len(text) + SLACK
    if _weight(whole) > most:
        outside = _outside_texts(whole)  # what is in texts makes no lists
        require_readable(
            _weight(outside) <= most, "body", "holds too many lists and objects for its length"
        )


def _weight(text: bytes) -> int:
    return LIST_WEIGHT * text.count(b"[") + OBJECT_WEIGHT * text.count(b"{")


def _outside_texts(text: bytes) -> bytes:
    """JSON without the letters of its texts."""
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    letters = np.frombuffer(text, np.uint8)
    inside = np.logical_xor.accumulate(letters == ord('"'))
    return letters[~inside].tobytes()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Spare the search for cycles, which JSON has none of, while millions of lists are made."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def json_object(body: Any, request: Request) -> tuple[dict[str, Any], memoryview]:
    """The object in a body, and the bytes behind it.

    Args:
        body: Bytes, or what the server has parsed of them.
        request: The request of that body.

    Raises:
        MalformedError: If it is not a JSON object.
        FieldError: If there are fields in the header Rvae-Options, too.
    """
    binary = memoryview(b"")
    if isinstance(body, bytes | bytearray):
        text = memoryview(body)
        length = len(text) if request.json_length is None else int(request.json_length)
        require_flat(text[:length])
        with _without_collection():
            body, binary = load_json(text[:length], "body", HINT), text[length:]
    require_readable(
        isinstance(body, dict),
        "body",
        f"expected a JSON object with data, columns or instances, got {json_type(body)}",
    )
    require(
        request.options is None,
        "Rvae-Options",
        "is not valid for JSON: put the fields into the body",
    )
    return body, binary


def dump_json(content: Any) -> bytes:
    """Write JSON. NaN marks what nothing was observed of, and becomes null."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def header_options(request: Request) -> dict[str, Any]:
    """The fields of a request in its header Rvae-Options.

    Raises:
        MalformedError: If the header is not a JSON object.
    """
    if request.options is None:
        return {}
    fields = load_json(request.options.encode(errors="replace"), "Rvae-Options")
    require_readable(
        isinstance(fields, dict), "Rvae-Options", f"expected an object, got {json_type(fields)}"
    )
    return fields
