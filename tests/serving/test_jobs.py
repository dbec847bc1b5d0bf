from typing import Any

import pytest

from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.messages import Request
from rvae.serving.jobs import body_bytes, read_together


@pytest.mark.parametrize(
    ("body", "size"),
    [(b"123", 3), (bytearray(b"12"), 2), ("1234", 4), ({"data": [1]}, 0), (None, 0)],
)
def test_what_is_to_be_decoded_is_text_or_bytes(body: Any, size: int) -> None:
    assert body_bytes(Request(body)) == size


def test_small_bodies_are_read_first_and_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvae.serving.jobs.DECODED_BYTES", JSON.decode_memory(b"x" * 10))
    requests = [Request(b"x" * size) for size in (30, 2, 7, 1, 11, 4)]
    groups = list(read_together(requests))
    assert [[body_bytes(requests[place]) for place in group] for group in groups] == [
        [1, 2, 4],
        [7],
        [11],
        [30],
    ]
    assert sorted(place for group in groups for place in group) == list(range(6))
    assert list(read_together([])) == []
