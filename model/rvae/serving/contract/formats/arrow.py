"""Format Arrow: a table as an Arrow IPC stream."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rvae.serving.contract.formats.table_format import TableFormat

__all__ = ["ARROW"]


class Arrow(TableFormat):
    """A table as an Arrow IPC stream; requests may be Arrow files, too."""

    media_type: ClassVar[str] = "application/vnd.apache.arrow.stream"
    aliases: ClassVar[tuple[str, ...]] = ("application/vnd.apache.arrow.file",)
    magic: ClassVar[tuple[bytes, ...]] = (b"\xff\xff\xff\xff", b"ARROW1")
    schema: ClassVar[dict[str, Any]] = {"description": "A table: an Arrow IPC stream."}

    def decode_table(self, body: bytes) -> Any:
        from rvae.serving.contract.formats.tables import read_arrow

        return read_arrow(body)

    def encode_table(self, columns: Mapping[str, Any]) -> bytes:
        from rvae.serving.contract.formats.tables import write_arrow

        return write_arrow(columns)


ARROW = Arrow()
