"""What a client raises, and what it makes of an answer that is none."""

from rvae.errors import FieldError

__all__ = ["AnswerError", "ClientError", "RefusedError", "UnavailableError"]


class ClientError(Exception):
    """A request that was not answered as it was meant.

    Attributes:
        status: HTTP status of the last answer; None if there was none.
        field: What is wrong: the path of a field in the request, a column, or a part of the server.
        message: What is wrong with it.
    """

    status: int | None
    field: str
    message: str


class RefusedError(ClientError, FieldError):
    """The server understood the request and refuses it: it would refuse it again."""

    def __init__(self, status: int, field: str, message: str) -> None:
        FieldError.__init__(self, field, message)
        self.status = status


class UnavailableError(ClientError, OSError):
    """No answer came in time, however often the request was sent."""

    def __init__(self, status: int | None, field: str, message: str) -> None:
        OSError.__init__(self, f"{field}: {message}")
        self.status, self.field, self.message = status, field, message


class AnswerError(UnavailableError):
    """An answer that is not to what was asked, or not from such a server."""
