"""What requests may take in memory, by their length and kind, is no less than what they take."""

import json
import subprocess
import sys

import numpy as np
import pytest

from rvae.serving.contract.formats import FORMATS
from rvae.serving.contract.formats.csv import CSV
from rvae.serving.contract.messages import Request
from rvae.serving.contract.pipeline import decode_memory
from tests.support.paths import ROOT
from tests.support.service_client import arrow, to_npy

# What any body takes besides: a page here and there, and pyarrow's pools.
BESIDE = 12 << 20


@pytest.fixture(scope="module")
def measured() -> list[tuple[str, int, int, int, str]]:
    """Name, length, memory that was foreseen, memory at the peak, and answer of every body."""
    command = [sys.executable, "-m", "tests.support.peak_memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_no_body_takes_more_than_was_foreseen(
    measured: list[tuple[str, int, int, int, str]],
) -> None:
    assert len(measured) > 60
    for name, length, foreseen, peak, said in measured:
        assert peak < foreseen + BESIDE, (name, length, said)


@pytest.mark.slow
def test_the_hostile_bodies_are_hostile(measured: list[tuple[str, int, int, int, str]]) -> None:
    """A bound that nothing comes near to would be as good as none."""
    for kind in ("data", "an array", "CSV", "Arrow"):
        shares = [
            peak / foreseen for name, _, foreseen, peak, _ in measured if name.startswith(kind)
        ]
        assert max(shares) > 0.5, kind


def test_no_csv_says_more_than_the_most_of_its_length() -> None:
    bodies = (b"a\n" + b"\n" * 5000, b"1," * 2500, b"heat\n" + b"20.5\n" * 1000, b",\r" * 2_000_000)
    for body in bodies:
        foreseen = decode_memory(Request(body, content_type="text/csv"))
        assert 0 < foreseen <= CSV.most_decode_memory(len(body))
    assert CSV.most_decode_memory(100) > CSV.most_decode_memory(99)


def test_every_format_says_what_it_takes() -> None:
    assert all(one.decode_bytes_per_byte > 0 for one in FORMATS)
    for body in (b'{"data": [1]}', to_npy(np.ones(1)), arrow(heat=[1.0, 2.0])):
        assert decode_memory(Request(body)) > len(body)
        assert decode_memory(Request(body, content_type="image/png")) == 0
    assert decode_memory(Request({"data": [1]})) == decode_memory(Request(None)) == 0
    assert decode_memory(Request('{"data": [1]}')) > 0
