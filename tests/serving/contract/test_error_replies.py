"""Replies to requests that are wrong."""

import json

import pytest

from rvae.errors import FieldError, MalformedError
from rvae.serving.contract.error_replies import (
    MAX_FIELD,
    MAX_MESSAGE,
    UnacceptableError,
    UnsupportedError,
    busy_reply,
    error_reply,
    failure_reply,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedError, 400),
        (UnacceptableError, 406),
        (UnsupportedError, 415),
        (FieldError, 422),
    ],
)
def test_every_error_has_a_status(error: type[FieldError], status: int) -> None:
    reply = error_reply(error("stride", "must be at least 1"))
    assert (reply.status, reply.content_type) == (status, "application/json")
    assert json.loads(reply.body) == {
        "code": status,
        "message": "must be at least 1",
        "field": "stride",
    }


def test_a_format_may_have_a_name_of_its_own_for_errors() -> None:
    reply = error_reply(FieldError("stride", "is odd"), "error")
    assert json.loads(reply.body)["error"] == "stride: is odd"
    assert json.loads(busy_reply("error").body)["error"].startswith("body: ")


def test_what_is_quoted_is_cut_and_encoded() -> None:
    reply = failure_reply(422, "f" * 1000, "\ud800" + "m" * 1000)
    content = json.loads(reply.body)
    assert (len(content["field"]), len(content["message"])) == (MAX_FIELD, MAX_MESSAGE)
    assert content["message"].startswith("?m")


def test_who_comes_too_often_is_asked_to_come_again() -> None:
    reply = busy_reply()
    assert (reply.status, reply.headers) == (503, {"Retry-After": "1"})
