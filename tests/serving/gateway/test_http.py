import pytest

from rvae.serving.gateway.http import answer_head, header_lines
from rvae.serving.gateway.messages import Answer


@pytest.mark.parametrize(("close", "word"), [(True, "close"), (False, "keep-alive")])
def test_the_head_of_an_answer(close: bool, word: str) -> None:
    head = answer_head(Answer(404, b"four", {"content-type": "a/b"}), close)
    assert head.decode() == (
        "HTTP/1.1 404 Not Found\r\ncontent-type: a/b\r\ncontent-length: 4\r\n"
        f"connection: {word}\r\n\r\n"
    )


def test_the_head_of_an_answer_with_an_unknown_status() -> None:
    assert answer_head(Answer(599, b""), True).startswith(b"HTTP/1.1 599 \r\n")


def test_the_head_of_a_request_can_be_added_to() -> None:
    assert header_lines("POST", "/p", {"accept": "\xe9"}, 7) == (
        b"POST /p HTTP/1.1\r\nhost: localhost\r\ncontent-length: 7\r\naccept: \xe9\r\n"
    )
