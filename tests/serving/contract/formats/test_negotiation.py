import pytest

from rvae.serving.contract.error_replies import UnacceptableError, UnsupportedError
from rvae.serving.contract.formats.arrow import ARROW
from rvae.serving.contract.formats.csv import CSV
from rvae.serving.contract.formats.format import Format
from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.formats.negotiation import answer_format, request_format
from rvae.serving.contract.formats.npy import NPY
from rvae.serving.contract.messages import Request


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b"{}", JSON),
        ("Application/JSON; charset=utf-8", b"{}", JSON),
        ("application/vnd.me+json", b"{}", JSON),
        ("text/csv;header=present", b"a\n1", CSV),
        ("application/vnd.apache.arrow.stream", b"", ARROW),
        ("application/vnd.apache.arrow.file", b"", ARROW),
        ("application/x-npy", b"", NPY),
        # What says nothing is known by its first bytes.
        (None, b"{}", JSON),
        ("", b"\x93NUMPY", NPY),
        ("application/octet-stream", b"\x93NUMPY\x01\x00", NPY),
        ("application/octet-stream", b"\xff\xff\xff\xff\x10\x00", ARROW),
        ("multipart/form-data; boundary=x", b"ARROW1\x00\x00", ARROW),
        ("text/plain", b" {}", JSON),
        # What says something is believed.
        ("application/json", b"\x93NUMPY", JSON),
    ],
)
def test_the_kind_of_a_body(content_type: str | None, body: bytes, expected: Format) -> None:
    assert request_format(Request(body, content_type=content_type), body) is expected


@pytest.mark.parametrize("content_type", ["image/png", "application/xml", "application/x-www-form"])
def test_other_kinds_are_not_read(content_type: str) -> None:
    with pytest.raises(UnsupportedError, match="application/json, text/csv") as caught:
        request_format(Request(b"{}", content_type=content_type), b"{}")
    assert caught.value.field == "Content-Type"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, CSV),
        ("", CSV),
        ("*/*", CSV),
        ("text/*", CSV),
        ("application/json", JSON),
        ("application/json, */*;q=0.1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", CSV),
        ("application/*", JSON),
        ("application/x-npy", NPY),
        ("text/csv;q=0.1, application/vnd.apache.arrow.stream;q=0.2", ARROW),
        ("text/csv;q=0, */*", JSON),
    ],
)
def test_the_kind_of_an_answer(accept: str | None, expected: Format) -> None:
    assert answer_format(accept, CSV) is expected


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "*/*;q=0", ",;,", "application/json;q=x"]
)
def test_what_cannot_be_answered_is_said(accept: str) -> None:
    with pytest.raises(UnacceptableError) as caught:
        answer_format(accept, JSON)
    assert caught.value.field == "Accept"
