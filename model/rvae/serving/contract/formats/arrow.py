"""Format Arrow: a table as an Arrow IPC stream."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rvae.errors import FieldError
from rvae.inference.card import Card
from rvae.serving.contract.formats.table_format import TableFormat
from rvae.serving.contract.formats.table_size import arrow_size
from rvae.serving.contract.query import Query
from rvae.serving.contract.sizes import Span

__all__ = ["ARROW"]

# Memory of a value of any kind as a double, and of what its checks need; of its text, the offset.
BYTES_PER_CELL = 32


class Arrow(TableFormat):
    """A table as an Arrow IPC stream; requests may be Arrow files, too."""

    media_type: ClassVar[str] = "application/vnd.apache.arrow.stream"
    aliases: ClassVar[tuple[str, ...]] = ("application/vnd.apache.arrow.file",)
    decode_bytes_per_byte: ClassVar[int] = 4  # beside its values: they are read where they are
    magic: ClassVar[tuple[bytes, ...]] = (b"\xff\xff\xff\xff", b"ARROW1")
    schema: ClassVar[dict[str, Any]] = {"description": "A table: an Arrow IPC stream."}

    def decode_memory(self, body: bytes | bytearray) -> int:
        """Bytes of memory that it takes to decode and to validate a body, at the most.

        A few bytes stand for many values that are missing, or for texts that are all the same.
        """
        from rvae.serving.contract.formats.arrow_guard import inspect
        from rvae.serving.contract.formats.tables import BYTES_PER_BYTE, FILE_MAGIC, MAX_TEXT

        known = super().decode_memory(body)
        try:
            extent = inspect(bytes(body).removeprefix(FILE_MAGIC))
        except FieldError:
            return known  # it is refused before anything is decoded
        texts = min(BYTES_PER_BYTE * extent.letters, MAX_TEXT)
        return known + BYTES_PER_CELL * extent.cells + texts

    def decode_table(self, body: bytes) -> Any:
        from rvae.serving.contract.formats.tables import read_arrow

        return read_arrow(body)

    def encode_table(self, columns: Mapping[str, Any], limit: int) -> bytes:
        from rvae.serving.contract.formats.tables import write_arrow

        return write_arrow(columns)

    def answer_size(self, query: Query, card: Card) -> Span:
        return arrow_size(query, card)


ARROW = Arrow()
