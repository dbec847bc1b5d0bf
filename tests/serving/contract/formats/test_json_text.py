from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError, MalformedError
from rvae.serving.contract.formats.json_text import (
    dump_json,
    header_options,
    json_object,
    load_json,
)
from rvae.serving.contract.messages import Request


def test_what_nothing_was_observed_of_is_null() -> None:
    content = {"a": np.array([1.5, np.nan]), "b": float("nan"), "c": [np.float32(0.5)]}
    assert load_json(dump_json(content), "body") == {"a": [1.5, None], "b": None, "c": [0.5]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "empty document"),
        (b"heat\n1\n", "another format"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"PK\x03\x04", "compressed"),
        (b"[1, NaN]", "write null"),
        (b"[1, 2", "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
    ],
)
def test_text_that_is_no_json_comes_with_a_hint(text: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        json_object(text, Request(text))
    assert caught.value.field == "body"


@pytest.mark.parametrize("body", [b"[1]", b"1", b"null", b'"a"', None, [1]])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(MalformedError, match="expected a JSON object"):
        json_object(body, Request(body))


def test_bytes_may_follow_the_object() -> None:
    body = b'{"a": 1}\x00\x01'
    content, binary = json_object(body, Request(body, json_length="8"))
    assert (content, bytes(binary)) == ({"a": 1}, b"\x00\x01")
    parsed, nothing = json_object({"a": 1}, Request({"a": 1}))
    assert (parsed, bytes(nothing)) == ({"a": 1}, b"")


def test_fields_are_in_the_body_or_in_the_header() -> None:
    assert header_options(Request(b"")) == {}
    assert header_options(Request(b"", options='{"stride": 2}')) == {"stride": 2}
    with pytest.raises(FieldError) as caught:
        json_object(b"{}", Request(b"{}", options="{}"))
    assert caught.value.field == "Rvae-Options"
    for options in ("[]", "{", "1", ""):
        with pytest.raises(MalformedError) as caught:
            header_options(Request(b"", options=options))
        assert caught.value.field == "Rvae-Options"
