"""Format CSV: a table as text."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rvae.errors import require
from rvae.inference.card import Card
from rvae.serving.contract.formats.arrow_guard import MAX_CELLS
from rvae.serving.contract.formats.table_format import TableFormat
from rvae.serving.contract.formats.table_size import csv_size
from rvae.serving.contract.outputs.output import Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.sizes import Span

__all__ = ["CSV"]

# Memory of a cell of any kind, which may have a byte of text and less. Bodies with more cells than
# there may be are refused before these take any.
BYTES_PER_CELL = 24


class Csv(TableFormat):
    """A table as text in UTF-8, with the names of the columns in the first line."""

    media_type: ClassVar[str] = "text/csv"
    aliases: ClassVar[tuple[str, ...]] = ("application/csv",)
    decode_bytes_per_byte: ClassVar[int] = 32  # of text, beside what a cell takes
    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "description": "A table, with the names of its columns in the first line.",
    }
    example: ClassVar[str | None] = "heat,speed\n20.1,3\n20.4,\n19.8,4\n"

    def decode_memory(self, body: bytes | bytearray) -> int:
        """Bytes of memory that it takes to decode and to validate a body, at the most."""
        cells = sum(body.count(end) for end in (b",", b"\n", b"\r"))
        return super().decode_memory(body) + BYTES_PER_CELL * min(cells, MAX_CELLS)

    def most_decode_memory(self, length: int) -> int:
        """The most that `decode_memory` says of bodies of so many bytes."""
        return self.decode_bytes_per_byte * length + BYTES_PER_CELL * min(length, MAX_CELLS)

    def decode_table(self, body: bytes) -> Any:
        from rvae.serving.contract.formats.tables import read_csv

        return read_csv(body)

    def encode_table(self, columns: Mapping[str, Any], limit: int) -> bytes:
        from rvae.serving.contract.formats.tables import write_csv

        return write_csv(columns, limit)

    def answer_size(self, query: Query, card: Card) -> Span:
        return csv_size(query, card)

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        super().require_outputs(outputs, tensors)
        # A cell holds one number: (W, D) becomes D columns, further axes have no place.
        deep = [one.name for one in outputs if any(len(field.axes) > 1 for field in one.fields)]
        require(
            not deep, "output", f"{', '.join(deep)} cannot be written as CSV: accept another format"
        )


CSV = Csv()
