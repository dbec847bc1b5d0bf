"""Bytes of files as text."""

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rvae.data import text_files
from rvae.data.text_files import STANDARD_INPUT, read_text
from rvae.errors import FieldError

TEXT = "zeit;höhe\n1;2,5\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, found: str, compressed: bool) -> None:
    content = TEXT.encode(encoding)
    (tmp_path / "t.csv").write_bytes(gzip.compress(content) if compressed else content)
    assert read_text(tmp_path / "t.csv", None) == (TEXT.encode(), found)
    assert read_text(tmp_path / "t.csv", found)[0] == TEXT.encode()


def test_what_western_windows_does_not_know_is_latin(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a\x81\n1\n")
    assert read_text(tmp_path / "t.csv", None) == ("a\x81\n1\n".encode(), "latin-1")


def test_a_broken_character_does_not_change_the_encoding_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("höhe\n1\n".encode() + b"\xe4\n")
    with pytest.raises(FieldError, match="0xe4 in line 3") as caught:
        read_text(tmp_path / "t.csv", None)
    assert caught.value.field == "reader.format.encoding"


def test_a_file_that_ends_within_a_character_names_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a\n1\n".encode("utf-16") + b"x")
    with pytest.raises(FieldError, match=r"t\.csv is not in utf-16: "):
        read_text(tmp_path / "t.csv", None)


def test_lines_may_end_as_on_old_machines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a\r1\r")
    assert read_text(tmp_path / "t.csv", None)[0] == b"a\n1\n"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a\n1\n")))
    text_files._standard_input.cache_clear()
    yield
    text_files._standard_input.cache_clear()


@pytest.mark.usefixtures("piped")
def test_standard_input_can_be_read_twice() -> None:
    assert read_text(STANDARD_INPUT, None)[0] == b"a\n1\n"
    assert read_text(STANDARD_INPUT, "ascii") == (b"a\n1\n", "ascii")
