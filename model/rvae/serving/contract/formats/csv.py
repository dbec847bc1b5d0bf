"""Format CSV: a table as text."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rvae.errors import require
from rvae.serving.contract.formats.table_format import TableFormat
from rvae.serving.contract.outputs.output import Output

__all__ = ["CSV"]


class Csv(TableFormat):
    """A table as text in UTF-8, with the names of the columns in the first line."""

    media_type: ClassVar[str] = "text/csv"
    aliases: ClassVar[tuple[str, ...]] = ("application/csv",)
    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "description": "A table, with the names of its columns in the first line.",
    }
    example: ClassVar[str | None] = "heat,speed\n20.1,3\n20.4,\n19.8,4\n"

    def decode_table(self, body: bytes) -> Any:
        from rvae.serving.contract.formats.tables import read_csv

        return read_csv(body)

    def encode_table(self, columns: Mapping[str, Any]) -> bytes:
        from rvae.serving.contract.formats.tables import write_csv

        return write_csv(columns)

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        super().require_outputs(outputs, tensors)
        # A cell holds one number: (W, D) becomes D columns, further axes have no place.
        deep = [one.name for one in outputs if any(len(field.axes) > 1 for field in one.fields)]
        require(
            not deep, "output", f"{', '.join(deep)} cannot be written as CSV: accept another format"
        )


CSV = Csv()
