"""Errors → the status and the body of a reply."""

from dataclasses import replace

import orjson

from rvae.errors import FieldError, MalformedError
from rvae.serving.contract.messages import Reply

__all__ = [
    "UnacceptableError",
    "UnsupportedError",
    "abandoned_reply",
    "busy_reply",
    "deferred_reply",
    "error_reply",
    "failure_reply",
]

MAX_FIELD, MAX_MESSAGE = 100, 300  # characters


class UnsupportedError(FieldError):
    """The media type of the body is not supported."""


class UnacceptableError(FieldError):
    """The request accepts no media type that an answer can have."""


STATUSES: dict[type[FieldError], int] = {
    MalformedError: 400,
    UnacceptableError: 406,
    UnsupportedError: 415,
    FieldError: 422,
}


def error_reply(error: FieldError, error_key: str | None = None) -> Reply:
    """The reply to a request with an error.

    Args:
        error: What is wrong with the request.
        error_key: Name under which clients of the request's format look for the error, if that
            format has one.
    """
    return failure_reply(STATUSES[type(error)], error.field, error.message, error_key)


def failure_reply(status: int, field: str, message: str, error_key: str | None = None) -> Reply:
    """A reply that names a field and what is wrong with it; see `error_reply`."""
    # Both may quote the request, which may be longer than an error should be.
    message, field = _encodable(message[:MAX_MESSAGE]), _encodable(field[:MAX_FIELD])
    content = {"code": status, "message": message, "field": field}
    if error_key is not None:
        content[error_key] = f"{field}: {message}"
    return Reply(status, orjson.dumps(content))


def busy_reply(error_key: str | None = None) -> Reply:
    """A reply that asks the client to retry."""
    reply = failure_reply(503, "body", "too much was requested at once: try again", error_key)
    return replace(reply, headers={"Retry-After": "1"})


def deferred_reply(seconds: float, error_key: str | None = None) -> Reply:
    """A reply that asks what stands between client and service to send the request again, alone.

    Args:
        seconds: Estimated cost of the request.
        error_key: See `error_reply`.
    """
    reply = busy_reply(error_key)
    return replace(reply, headers={**reply.headers, "Rvae-Deferred": f"{seconds:.3f}"})


def abandoned_reply() -> Reply:
    """A reply that nobody waits for any more."""
    return failure_reply(408, "body", "nobody waits for the answer any more")


def _encodable(text: str) -> str:
    # Other JSON parsers than ours may pass half a surrogate pair.
    return text.encode(errors="replace").decode()
