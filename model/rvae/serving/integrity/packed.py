"""The content of an archive that is not unpacked, read without trust in it.

TorchServe reads a zip from its beginning, Python from the directory at its end. An archive in which
the two differ is refused, as what was checked would not be what is unpacked.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO

from rvae.errors import FieldError, require
from rvae.serving.integrity.sums import SIGNATURE_FILE, SUMS_FILE, Content, digest, require_plain

__all__ = ["read_packed"]

MOST_FILES = 10_000
# A zip can shrink zeros to a thousandth. Code and cards shrink to a fifth, weights hardly.
MOST_EXPANSION, FREE_BYTES = 50, 100_000_000
MOST_SUMS_BYTES = 2_000_000

DAMAGED = "is damaged"
PIECE = 1 << 20
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
ENCRYPTED, STREAMED, UTF_8 = 0x1, 0x8, 0x800  # bits of an entry's flags
LARGE = 0xFFFFFFFF
# What may follow the content of an entry whose size was not known when it was begun.
DESCRIPTOR_BYTES = (0, 12, 16, 20, 24)


def read_packed(path: Path) -> Content:
    """Read an archive, in bounded memory.

    Raises:
        FieldError: If it is no zip, is damaged, or holds what could be unpacked in another way or
            to another place than it seems.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as packed:
            infos = packed.infolist()
            _require_small(infos, path.stat().st_size)
            starts = _starts(file, infos, packed.start_dir)
            return _content(file, {info: starts[info.header_offset] for info in infos})
    except (zipfile.BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError):
        raise FieldError("archive", "it is no zip file, or is cut off") from None
    except OSError as error:
        raise FieldError("archive", f"it cannot be read: {error.strerror}") from None


def _require_small(infos: list[zipfile.ZipInfo], size: int) -> None:
    require(len(infos) <= MOST_FILES, "archive", f"it holds more than {MOST_FILES} files")
    unpacked = sum(info.file_size for info in infos)
    require(
        unpacked <= FREE_BYTES + MOST_EXPANSION * size,
        "archive",
        f"it has {size / 1e6:.3g} MB and would be unpacked to {unpacked / 1e6:.3g} MB",
    )


def _starts(file: IO[bytes], infos: list[zipfile.ZipInfo], end: int) -> dict[int, int]:
    """Where the content of each entry begins, by where the entry begins.

    Raises:
        FieldError: Unless the entries lie one after the other and are what the directory says.
    """
    ordered = sorted(infos, key=lambda info: info.header_offset)
    places = [*(info.header_offset for info in ordered), end]
    _require_sound(places[0] == 0)
    starts = {}
    for info, (place, following) in zip(ordered, pairwise(places), strict=True):
        starts[place] = _content_start(file, info)
        beyond = following - starts[place] - info.compress_size
        streamed = bool(info.flag_bits & STREAMED)
        _require_sound(beyond in DESCRIPTOR_BYTES if streamed else beyond == 0)
    return starts


def _content_start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    file.seek(info.header_offset)
    signature, _, flags, method, _, _, crc, *sizes, name_length, extra_length = LOCAL_HEADER.unpack(
        file.read(LOCAL_HEADER.size)
    )
    name = file.read(name_length).decode("utf-8" if flags & UTF_8 else "cp437")
    _require_sound(signature == LOCAL_SIGNATURE)
    _require_sound((name, flags, method) == (info.filename, info.flag_bits, info.compress_type))
    # Elsewhere if they were not known when the entry was begun, or have more than four bytes.
    known = LARGE in sizes or sizes == [info.compress_size, info.file_size]
    _require_sound(bool(flags & STREAMED) or (crc == info.CRC and known))
    return info.header_offset + LOCAL_HEADER.size + name_length + extra_length


def _require_sound(condition: bool) -> None:
    require(condition, "archive", "its list of files is not that of what it holds")


def _content(file: IO[bytes], starts: dict[zipfile.ZipInfo, int]) -> Content:
    digests: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    for info, start in starts.items():
        name = info.filename
        require_plain(name.removesuffix("/"))
        require(name not in digests and name not in kept, "archive", f"it holds {name} twice")
        kind = stat.S_IFMT(info.external_attr >> 16)
        require(kind in (0, stat.S_IFREG, stat.S_IFDIR), "archive", f"{name} is no plain file")
        require(not info.flag_bits & ENCRYPTED, "archive", f"{name} is encrypted")
        pieces = _pieces(file, info, start)
        if name in (SUMS_FILE, SIGNATURE_FILE):
            require(info.file_size <= MOST_SUMS_BYTES, "archive", f"{name} is too large")
            kept[name] = b"".join(pieces)
        elif name.endswith("/"):
            require(info.file_size == 0, "archive", f"{name} is a folder with content")
        else:
            digests[name] = digest(pieces)
    return Content(digests, kept.get(SUMS_FILE), kept.get(SIGNATURE_FILE))


def _pieces(file: IO[bytes], info: zipfile.ZipInfo, start: int) -> Iterator[bytes]:
    """The content of an entry, of exactly the size that the directory tells."""
    file.seek(start)
    packed = _read(file, info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        unpacked = packed
    else:
        known = info.compress_type == zipfile.ZIP_DEFLATED
        require(known, "archive", f"{info.filename} is packed in an unknown way")
        unpacked = _inflated(packed, info.filename)
    size = checksum = 0
    for piece in unpacked:
        size, checksum = size + len(piece), zlib.crc32(piece, checksum)
        if size > info.file_size:
            break
        yield piece
    require((size, checksum) == (info.file_size, info.CRC), "archive", f"{info.filename} {DAMAGED}")


def _read(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (piece := file.read(min(size, PIECE))):
        size -= len(piece)
        yield piece


def _inflated(packed: Iterator[bytes], name: str) -> Iterator[bytes]:
    """What a deflated stream holds, if it ends where the entry does."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            _require_whole(not inflater.eof, name)
            while piece:
                yield inflater.decompress(piece, PIECE)
                piece = inflater.unconsumed_tail
        while not inflater.eof and (rest := inflater.decompress(b"", PIECE)):
            yield rest
    except zlib.error:
        raise FieldError("archive", f"{name} {DAMAGED}") from None
    _require_whole(inflater.eof and not inflater.unused_data, name)


def _require_whole(condition: bool, name: str) -> None:
    require(condition, "archive", f"{name} {DAMAGED}")
