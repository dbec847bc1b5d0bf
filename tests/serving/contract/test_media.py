import pytest

from rvae.serving.contract.faults import UnacceptableError, UnsupportedError
from rvae.serving.contract.media import Media, sent, wanted


@pytest.mark.parametrize(
    ("content_type", "body", "media"),
    [
        ("application/json", b"{}", Media.JSON),
        ("Application/JSON; charset=utf-8", b"{}", Media.JSON),
        ("application/vnd.me+json", b"{}", Media.JSON),
        ("text/csv;header=present", b"a\n1", Media.CSV),
        ("application/vnd.apache.arrow.stream", b"", Media.ARROW),
        ("application/vnd.apache.arrow.file", b"", Media.ARROW),
        ("application/x-npy", b"", Media.NPY),
        # What says nothing is known by its first bytes.
        (None, b"{}", Media.JSON),
        ("", b"\x93NUMPY", Media.NPY),
        ("application/octet-stream", b"\x93NUMPY\x01\x00", Media.NPY),
        ("application/octet-stream", b"\xff\xff\xff\xff\x10\x00", Media.ARROW),
        ("multipart/form-data; boundary=x", b"ARROW1\x00\x00", Media.ARROW),
        ("text/plain", b" {}", Media.JSON),
        # What says something is believed.
        ("application/json", b"\x93NUMPY", Media.JSON),
    ],
)
def test_the_kind_of_a_body(content_type: str | None, body: bytes, media: str) -> None:
    assert sent(content_type, body) is media


@pytest.mark.parametrize("content_type", ["image/png", "application/xml", "application/x-www-form"])
def test_other_kinds_are_not_read(content_type: str) -> None:
    with pytest.raises(UnsupportedError, match="application/json, text/csv") as caught:
        sent(content_type, b"{}")
    assert caught.value.field == "Content-Type"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, Media.CSV),
        ("", Media.CSV),
        ("*/*", Media.CSV),
        ("text/*", Media.CSV),
        ("application/json", Media.JSON),
        ("application/json, */*;q=0.1", Media.JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", Media.CSV),
        ("application/*", Media.JSON),
        ("application/x-npy", Media.NPY),
        ("text/csv;q=0.1, application/vnd.apache.arrow.stream;q=0.2", Media.ARROW),
        ("text/csv;q=0, */*", Media.JSON),
    ],
)
def test_the_kind_of_an_answer(accept: str | None, media: str) -> None:
    assert wanted(accept, Media.CSV) is media


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "*/*;q=0", ",;,", "application/json;q=x"]
)
def test_what_cannot_be_answered_is_said(accept: str) -> None:
    with pytest.raises(UnacceptableError) as caught:
        wanted(accept, Media.JSON)
    assert caught.value.field == "Accept"
