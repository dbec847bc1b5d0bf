"""Archives as somebody writes them who wants something else unpacked than what is checked."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity import packed
from rvae.serving.integrity.packed import read_packed
from rvae.serving.integrity.sums import SIGNATURE_FILE, SUMS_FILE, digest

FILES = {"card.json": b"{}" * 500, "rvae/engine.py": b"import os\n" * 99, "empty": b""}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refusal(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "x.mar").write_bytes(content)
    with pytest.raises(FieldError) as caught:
        read_packed(tmp_path / "x.mar")
    assert caught.value.field == "archive"
    return caught.value.message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_file_is_read(tmp_path: Path, method: int) -> None:
    beside = {SUMS_FILE: b"sums", SIGNATURE_FILE: b"signature"}
    (tmp_path / "x.mar").write_bytes(zipped({"rvae/": b"", **FILES, **beside}, method))
    content = read_packed(tmp_path / "x.mar")
    assert content.digests == {name: digest([one]) for name, one in FILES.items()}
    assert (content.sums, content.signature) == (b"sums", b"signature")


def test_files_larger_than_a_piece_are_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "PIECE", 7)
    (tmp_path / "x.mar").write_bytes(zipped(FILES))
    found = read_packed(tmp_path / "x.mar").digests
    assert found == {name: digest([one]) for name, one in FILES.items()}


def test_an_archive_that_was_written_as_a_stream_is_read(tmp_path: Path) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    (tmp_path / "x.mar").write_bytes(stream.getvalue())
    assert read_packed(tmp_path / "x.mar").digests.keys() == FILES.keys()


def test_no_byte_of_it_can_be_changed_unnoticed(tmp_path: Path) -> None:
    """Each is part of what is unpacked, or of how; what is not, as a date, changes nothing."""
    whole = zipped({"card.json": b"{}" * 50, "weights": bytes(range(64))})
    (tmp_path / "x.mar").write_bytes(whole)
    expected = read_packed(tmp_path / "x.mar")
    refused = 0
    for place in range(len(whole)):
        for changed in (whole[place] ^ 1, whole[place] ^ 0x80):
            (tmp_path / "x.mar").write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
            try:
                assert read_packed(tmp_path / "x.mar") == expected
            except FieldError:
                refused += 1
    assert refused > len(whole)


def test_a_part_of_it_is_refused(tmp_path: Path) -> None:
    whole = zipped({"card.json": b"{}" * 50, "weights": bytes(range(64))})
    for length in range(len(whole)):
        assert refusal(tmp_path, whole[:length])


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    whole = bytearray(zipped(FILES, zipfile.ZIP_STORED))
    whole[whole.index(b"import os") + 3] ^= 1
    assert refusal(tmp_path, bytes(whole)) == "rvae/engine.py is damaged"


@pytest.mark.parametrize("name", ["../evil.py", "/etc/cron.d/evil", "a\\..\\evil.py", "a/./b"])
def test_paths_to_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    assert "is no path within it" in refusal(tmp_path, zipped({**FILES, name: b"x"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("weights.safetensors")
        link.external_attr = (kind | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    message = refusal(tmp_path, buffer.getvalue())
    assert message == "weights.safetensors is no plain file"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for content in ("sound", "evil"):
            archive.writestr("handler.py", content)
    assert refusal(tmp_path, buffer.getvalue()) == "it holds handler.py twice"


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(20):
            archive.writestr(f"zeros{i}", bytes(10_000_000))
    assert "would be unpacked to 200 MB" in refusal(tmp_path, buffer.getvalue())


def test_a_file_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    whole = bytearray(zipped({"zeros": bytes(100_000)}))
    for place in (22, whole.index(b"PK\x01\x02") + 24):
        whole[place : place + 4] = struct.pack("<I", 99)
    assert refusal(tmp_path, bytes(whole)) == "zeros is damaged"


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_FILES", 2)
    assert refusal(tmp_path, zipped(FILES)) == "it holds more than 2 files"


def test_files_that_are_not_listed_at_its_end_are_refused(tmp_path: Path) -> None:
    """Java unpacks them, since it reads from the beginning."""
    hidden = zipped({"sitecustomize.py": b"evil"})
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    whole = zipped(FILES)
    first = refusal(tmp_path, hidden + whole)
    end = whole.index(b"PK\x01\x02")
    # The directory's place, which the end of the archive tells, moves along.
    moved = bytearray(whole[:end] + hidden + whole[end:])
    moved[-6:-2] = struct.pack("<I", end + len(hidden))
    assert refusal(tmp_path, bytes(moved)) == first
    assert first == "its list of files is not that of what it holds"


def test_other_names_than_those_at_its_end_are_refused(tmp_path: Path) -> None:
    whole = bytearray(zipped({"hdler.py": b"x"}))
    whole[30:38] = b"site.pyc"
    assert "is not that of what it holds" in refusal(tmp_path, bytes(whole))


@pytest.mark.parametrize("place", [14, 18, 22], ids=["checksum", "size", "unpacked size"])
def test_other_sizes_than_those_at_its_end_are_refused(tmp_path: Path, place: int) -> None:
    whole = bytearray(zipped({"handler.py": b"import os"}, zipfile.ZIP_STORED))
    whole[place] ^= 1
    assert "is not that of what it holds" in refusal(tmp_path, bytes(whole))


def test_what_java_cannot_unpack_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, zipped({"card.json": b"{}"}, zipfile.ZIP_LZMA))
    assert message == "card.json is packed in an unknown way"


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"text" * 50):
        assert refusal(tmp_path, content) == "it is no zip file, or is cut off"
    with pytest.raises(FieldError, match="No such file"):
        read_packed(tmp_path / "absent.mar")
