"""Format JSON: an object with the fields of a request, and answers with the fields of outputs."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rvae.inference import records
from rvae.inference.card import Card
from rvae.serving.contract.formats.format import Checked, Format, ServedModel
from rvae.serving.contract.formats.inference_protocol import INFERENCE_PROTOCOL
from rvae.serving.contract.formats.json_size import event_size, object_size
from rvae.serving.contract.formats.json_text import dump_json, json_object
from rvae.serving.contract.inputs.lists import list_input
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs.events import event_json
from rvae.serving.contract.outputs.output import Axis, Field, Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.sizes import Span

__all__ = ["JSON", "step_values"]


class Json(Format):
    """An object of fields; where it has `inputs`, it is of the Open Inference Protocol."""

    media_type: ClassVar[str] = "application/json"
    aliases: ClassVar[tuple[str, ...]] = ("text/json",)
    decode_bytes_per_byte: ClassVar[int] = 36  # a list for every three or four characters

    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], Any]:
        return json_object(body, request)

    def dialect(self, fields: Mapping[str, Any]) -> Format:
        return INFERENCE_PROTOCOL if "inputs" in fields else self

    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        options = Options.parse(fields)
        return Checked(options, list_input(options, card))

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        """An object holds every output."""

    def answer_size(self, query: Query, card: Card) -> Span:
        return object_size(query, card)

    def event_size(self, card: Card) -> Span:
        return event_size(card)

    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        inputs = query.inputs
        predictions = [
            ({"series": result.series.name} if inputs.named else {})
            | _prediction(result, flat, query, model.card)
            for result, flat in zip(results, inputs.flat, strict=True)
        ]
        return _answer(model, {"predictions": predictions} if inputs.many else predictions[0])

    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        flat = len(model.card.channels) == 1
        instances = [step_values(window, flat, model.card) for window in samples.windows]
        seed = {} if samples.seed is None else {"seed": samples.seed}
        return _answer(model, {"instances": instances, "latent": samples.latent} | seed)


JSON = Json()


def step_values(values: NDArray[Any], flat: bool, card: Card) -> Any:
    """Values (N, C) in the data's units per step, categories as words.

    Args:
        values: The values.
        flat: Whether the only channel has no axis of its own.
        card: Card of the model.
    """
    if flat:
        (values,) = records.category_words(card, values)
        return values.tolist() if values.dtype == object else np.ascontiguousarray(values)
    if not card.vocabulary.categories:
        return values
    columns = [column.tolist() for column in records.category_words(card, values)]
    return [list(step) for step in zip(*columns, strict=True)]


def _answer(model: ServedModel, content: Mapping[str, Any]) -> bytes:
    return dump_json({"model": model.name, "version": model.version, **content})


def _prediction(result: SeriesResult, flat: bool, query: Query, card: Card) -> dict[str, Any]:
    """The answer about one series, without a channel axis where the request had none."""
    window = {"length": card.window, "stride": query.stride, "starts": result.starts}
    prediction: dict[str, Any] = {"window": window}
    for output in query.outputs:
        for field in output.fields:
            values = result.values[field.name]
            if output.axis is Axis.EVENT:
                prediction[field.name] = [event_json(event, result.series) for event in values]
            else:
                prediction[field.name] = _field_values(field, values, flat, card)
    return prediction


def _field_values(field: Field, values: NDArray[Any], flat: bool, card: Card) -> Any:
    if field.in_units:
        return step_values(values, flat, card)
    if flat and field.axes[-1:] == ("channel",):
        return np.ascontiguousarray(values[..., 0])
    return values if values.ndim else values.item()
