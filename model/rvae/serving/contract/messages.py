"""Requests and replies as a server passes them on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reply", "Request"]


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        body: Bytes or text, or the object that the server has parsed; None if there was no body. A
            bytearray is emptied once it was decoded, as servers keep what they have received.
        explain: Whether it came to the explanations endpoint.
        content_type: The header Content-Type.
        accept: The header Accept.
        options: The header Rvae-Options: fields of a request whose body has no place for them, as a
            JSON object.
        json_length: The header Inference-Header-Content-Length: how many of the first bytes are
            JSON, where binary tensors follow; None if all are.
        tensors: Whether it has to be one of the Open Inference Protocol, as its path says.
        is_wanted: Whether somebody still waits for the answer.
        may_defer: Whether it may be asked to come again alone, as it costs much.
        arrived: Time by `time.monotonic` at which it came to what stands before the workers, which
            measures it; None for what nobody measures, such as requests that warm up.
    """

    body: Any
    explain: bool = False
    content_type: str | None = None
    accept: str | None = None
    options: str | None = None
    json_length: str | None = None
    tensors: bool = False
    is_wanted: Callable[[], bool] = _always
    may_defer: bool = False
    arrived: float | None = None


@dataclass(frozen=True)
class Reply:
    """A status, a body and the headers of an HTTP response."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
