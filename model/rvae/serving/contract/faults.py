"""What is wrong with a request → the status and the body that say so."""

from dataclasses import replace

import orjson

from rvae.errors import FieldError, MalformedError
from rvae.serving.contract.messages import Reply

__all__ = ["UnacceptableError", "UnsupportedError", "busy", "fault", "reply_to"]

LONGEST_FIELD, LONGEST_MESSAGE = 100, 300  # characters


class UnsupportedError(FieldError):
    """A body of a kind that nobody here reads."""


class UnacceptableError(FieldError):
    """A request that accepts no kind of answer that there is."""


STATUSES: dict[type[FieldError], int] = {
    MalformedError: 400,
    UnacceptableError: 406,
    UnsupportedError: 415,
    FieldError: 422,
}


def reply_to(error: FieldError, inference: bool = False) -> Reply:
    """The reply to a request with this error.

    Args:
        error: What is wrong.
        inference: Whether it was a request of the Open Inference Protocol, whose errors are called
            `error`.
    """
    return fault(STATUSES[type(error)], error.field, error.message, inference)


def fault(status: int, field: str, message: str, inference: bool = False) -> Reply:
    """A reply that says what is wrong."""
    # Both may quote the request, and that may be as long as an answer must not be.
    said, where = _sayable(message[:LONGEST_MESSAGE]), _sayable(field[:LONGEST_FIELD])
    content = {"code": status, "message": said, "field": where}
    if inference:
        content["error"] = f"{where}: {said}"
    return Reply(status, orjson.dumps(content))


def busy(inference: bool = False) -> Reply:
    """A reply that asks to come again."""
    reply = fault(503, "body", "too much was asked at once: try again", inference)
    return replace(reply, headers={"Retry-After": "1"})


def _sayable(text: str) -> str:
    # Another parser than ours may let half a surrogate pair through.
    return text.encode(errors="replace").decode()
