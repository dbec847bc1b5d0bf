"""JSON text → objects, and objects → JSON text."""

from typing import Any

import orjson

from rvae.errors import MalformedError, require, require_readable
from rvae.serving.contract.inputs.lists import json_type
from rvae.serving.contract.messages import Request

__all__ = ["dump_json", "header_options", "json_object", "load_json"]

HINT = "; a body of another kind needs its Content-Type, such as text/csv"


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
