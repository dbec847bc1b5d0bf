import pytest

from rvae.client.errors import AnswerError, ClientError, RefusedError, UnavailableError
from rvae.errors import FieldError


def test_all_say_status_field_and_message() -> None:
    refused = RefusedError(422, "data[3]", "is too large")
    unavailable, wrong = UnavailableError(None, "server", "is away"), AnswerError(200, "a", "b")
    for error, status in ((refused, 422), (unavailable, None), (wrong, 200)):
        assert isinstance(error, ClientError) and error.status == status
        assert str(error) == f"{error.field}: {error.message}"


def test_they_are_what_commands_report() -> None:
    with pytest.raises(FieldError, match="data: is too large"):
        raise RefusedError(422, "data", "is too large")
    with pytest.raises(OSError, match="server: is away"):
        raise AnswerError(503, "server", "is away")
