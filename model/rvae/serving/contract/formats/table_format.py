"""Common base of the formats of tables: a row per window, point or event."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rvae.errors import require
from rvae.inference import records
from rvae.inference.card import Card
from rvae.serving.contract.formats.format import Checked, Format, ServedModel
from rvae.serving.contract.formats.json_text import header_options
from rvae.serving.contract.formats.table_size import event_row_size
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs import output_names
from rvae.serving.contract.outputs.output import Axis, Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.sizes import Span

__all__ = ["TableFormat"]


class TableFormat(Format):
    """A table, with the other fields of the request in the header Rvae-Options.

    pyarrow costs a tenth of a second and 40 MB: it is imported with the first table only.
    """

    @abstractmethod
    def decode_table(self, body: bytes) -> Any:
        """Decode a pyarrow table."""

    @abstractmethod
    def encode_table(self, columns: Mapping[str, Any], limit: int) -> bytes:
        """Encode columns (N, ...).

        Raises:
            FieldError: If more bytes than the limit have to be written, where that is not known
                before.
        """

    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], Any]:
        return header_options(request), self.decode_table(bytes(body))

    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        from rvae.serving.contract.inputs.columns import table_input

        options = Options.parse_without_values(fields)
        return Checked(options, table_input(payload, options, card))

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        axes = {output.axis for output in outputs}
        require(
            len(axes) < 2 and (Axis.EVENT not in axes or len(outputs) == 1),
            "output",
            f"the rows of a table are windows ({', '.join(output_names(Axis.WINDOW))}), steps "
            f"({', '.join(output_names(Axis.POINT))}) or {' or '.join(output_names(Axis.EVENT))}: "
            "ask for one of these",
        )

    def event_size(self, card: Card) -> Span:
        return event_row_size(card)

    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        pieces = [_columns(result, query.outputs, model.card) for result in results]
        columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        return self.encode_table(columns, model.answer_bytes)

    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        columns = records.sample_records(model.card, samples.windows)
        return self.encode_table(columns, model.answer_bytes)


def _columns(result: SeriesResult, outputs: tuple[Output, ...], card: Card) -> records.Columns:
    """The rows of one series."""
    axis = outputs[0].axis
    if axis is Axis.EVENT:
        (field,) = outputs[0].fields
        return records.event_records(result.series, result.values[field.name])
    columns: records.Columns = {}
    for field in (field for output in outputs for field in output.fields):
        values = result.values[field.name]
        if field.in_units:
            columns |= records.channel_columns(card, values, f"_{field.column_name}")
        else:
            columns[field.column_name] = values
    if axis is Axis.WINDOW:
        return records.window_records(result.series, result.starts, card.window, columns)
    return records.point_records(result.series, columns)
