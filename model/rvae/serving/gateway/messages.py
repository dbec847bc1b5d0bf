"""What passes between the parts of the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from rvae.serving.contract.error_replies import failure_reply

__all__ = ["Answer", "Application", "Head", "Request", "not_allowed", "refusal"]


@dataclass(frozen=True)
class Head:
    """Line and headers of a request.

    Attributes:
        method: Method in capitals.
        target: Path and query as they were sent.
        headers: Values by name in lower case; those of a repeated header are joined by commas.
    """

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """A request that was read whole."""

    head: Head
    body: bytes | bytearray


@dataclass(frozen=True)
class Answer:
    """An answer, to a client or from a backend.

    Attributes:
        status: HTTP status.
        body: Body.
        headers: Values by name in lower case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Application(Protocol):
    """What a listener does with requests."""

    def check(self, head: Head) -> Answer | None:
        """Refuse a request before its body is read; None lets it pass."""

    async def answer(self, request: Request) -> Answer:
        """Answer a request; it is cancelled when the client hangs up."""


def refusal(status: int, field: str, message: str, retry_seconds: int | None = None) -> Answer:
    """An error in the form of the contract.

    Args:
        status: HTTP status.
        field: What is wrong.
        message: What is wrong with it.
        retry_seconds: When to try again, if that helps.
    """
    headers = {"content-type": "application/json"}
    if retry_seconds is not None:
        headers["retry-after"] = str(retry_seconds)
    return Answer(status, failure_reply(status, field, message).body, headers)


def not_allowed(methods: tuple[str, ...]) -> Answer:
    """The refusal of other methods than these, with the header that RFC 9110 asks for."""
    refused = refusal(405, "method", f"must be {' or '.join(methods)}")
    return replace(refused, headers={**refused.headers, "allow": ", ".join(methods)})
