"""Requests and replies as a server hands them over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Reply"]


@dataclass(frozen=True)
class Call:
    """A request as it came in.

    Attributes:
        body: Bytes or text, or what the server has parsed of it; None where there was no body.
        explain: Whether it came to the explanations' endpoint.
        content_type: Of the body.
        accept: What the answer may be.
        options: Fields of a request whose body has no place for them, as a JSON object.
        json_length: How many of the first bytes are JSON; all, if left out. The others are tensors.
    """

    body: Any
    explain: bool = False
    content_type: str | None = None
    accept: str | None = None
    options: str | None = None
    json_length: str | None = None


@dataclass(frozen=True)
class Reply:
    """An HTTP status, a body and what belongs into the header."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
