"""Format of the Open Inference Protocol, version 2: named tensors in JSON, or behind it.

https://github.com/kserve/open-inference-protocol
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require
from rvae.inference.card import Card
from rvae.serving.contract.answer_values import result_values, sample_values
from rvae.serving.contract.formats.format import Checked, Format, ServedModel
from rvae.serving.contract.formats.json_size import NUMBERS, OBJECT
from rvae.serving.contract.formats.json_text import dump_json, json_object
from rvae.serving.contract.formats.stacking import stacked
from rvae.serving.contract.formats.tensor_metadata import datatype_of
from rvae.serving.contract.formats.tensors import InferenceRequest, Tensor, read_tensors
from rvae.serving.contract.inputs.arrays import array_input
from rvae.serving.contract.inputs.lists import series_values
from rvae.serving.contract.inputs.series_input import (
    SeriesInput,
    annotated_input,
    require_in_bounds,
    require_series_count,
    require_window,
)
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import ANNOTATIONS, MAX_INTEGER, Options
from rvae.serving.contract.outputs import DEFAULTS, OUTPUTS
from rvae.serving.contract.outputs.output import Axis, Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.sizes import Kind, Span, Values

__all__ = ["INFERENCE_PROTOCOL"]

# Tensors of answers to requests to generate windows.
GENERATED = {"decode": ("instances", "latent"), "sample": ("instances", "latent", "seed")}

# What is around the values of a tensor.
TENSOR = Span(30, 200)

# Types of categories by name.
WORD_TYPES = {str, bool, type(None)}

# Some clients set this in every request, and take JSON as well.
IGNORED = {"binary_data_output"}


class InferenceProtocol(Format):
    """Tensors in and out; errors have the name that clients of the protocol know."""

    media_type: ClassVar[str] = "application/json"
    decode_bytes_per_byte: ClassVar[int] = 36  # as JSON, whose first bytes are the same
    error_key: ClassVar[str | None] = "error"

    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], Any]:
        return json_object(body, request)

    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        request, tensors = read_tensors(fields, payload)
        names = tuple(one.name for one in request.outputs or ()) or None
        options, inputs = _inputs(_request_fields(request, names), tensors, card)
        return Checked(options, inputs, request.id, names)

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        for output in outputs:
            require(
                output.axis is not Axis.EVENT,
                "output",
                f"{output.name} cannot be a tensor: send no inputs, or accept a table",
            )

    def answer_size(self, query: Query, card: Card) -> Span:
        size = OBJECT
        for values in _tensor_values(query, card):
            if query.tensors is None or values.name in query.tensors:
                size += TENSOR + NUMBERS.size(values)
        return size

    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        named: list[dict[str, NDArray[Any]]] = [
            {"starts": one.starts, **one.values} for one in results
        ]
        tensors = {name: stacked([one[name] for one in named], query.inputs) for name in named[0]}
        return _answer(tensors, query, model)

    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        tensors: dict[str, NDArray[Any]] = {"instances": samples.windows, "latent": samples.latent}
        if samples.seed is not None:
            tensors["seed"] = np.array([samples.seed])
        return _answer(tensors, query, model)


INFERENCE_PROTOCOL = InferenceProtocol()


def _tensor_values(query: Query, card: Card) -> Iterator[Values]:
    """The values of every tensor that an answer may hold."""
    if query.generates:
        yield from sample_values(query, card, words=False)
        yield Values("latent", Kind.FLOAT32, query.count, (card.model.latent,))
        if query.inputs.latent is None:
            yield Values("seed", Kind.INTEGER, 1, largest=MAX_INTEGER)
        return
    last = max(map(len, query.inputs.series))
    yield Values("starts", Kind.INTEGER, query.windows(card), largest=last)
    yield from result_values(query, card, words=False)


def _request_fields(request: InferenceRequest, names: tuple[str, ...] | None) -> dict[str, Any]:
    """The fields of a request, with the outputs whose tensors are named.

    Raises:
        FieldError: If there is no such tensor.
    """
    fields = {k: v for k, v in (request.parameters or {}).items() if k not in IGNORED}
    if names is None:
        return fields
    require("output" not in fields, "output", "cannot be combined with outputs")
    task = str(fields.get("task"))
    outputs = [_output_of(name, task, f"outputs[{i}].name") for i, name in enumerate(names)]
    fields["output"] = list(dict.fromkeys(one for one in outputs if one is not None)) or None
    return fields


def _output_of(name: str, task: str, field: str) -> str | None:
    """The output that holds a tensor; None if the answer holds it in any case."""
    optional: Mapping[str, str] = {}
    if task in GENERATED:
        always = GENERATED[task]
    elif task in ("encode", "reconstruct"):
        always = ("starts", *(one.name for output in DEFAULTS[task] for one in output.fields))
    else:
        always = ("starts",)
        optional = {
            one.name: output.name
            for output in OUTPUTS.values()
            if output.axis is not Axis.EVENT
            for one in output.fields
        }
    names = (*always, *optional)
    require(name in names, field, f"{name!r} is none of {', '.join(names)}")
    return optional.get(name)


def _inputs(
    fields: dict[str, Any], tensors: Mapping[str, Tensor], card: Card
) -> tuple[Options, SeriesInput]:
    """The options of a request, and its series or latents.

    Raises:
        FieldError: If they do not fit the model.
    """
    values = {name: one for name, one in tensors.items() if name not in ANNOTATIONS}
    by_channel = (
        fields.get("task") != "decode"  # latents have no channels
        and set(values) == set(card.channels)
        and all(one.shape[-1] > 1 for one in values.values())
    )
    most = max((len(one.shape) for one in values.values()), default=0)
    many = most > (1 if by_channel else 2)
    for name in ANNOTATIONS:
        if name in tensors:
            nested = tensors[name].nested()
            single = name == "label" and not many and len(nested) == 1
            fields[name] = nested[0] if single else nested
    options = Options.parse_without_values(fields)
    if options.task == "sample":
        require(not values, "inputs", "is not valid for the task sample")
        return options, SeriesInput([], [], many=True)
    if by_channel:
        return options, _channel_tensors(values, many, options, card)
    require(
        len(values) == 1,
        "inputs",
        f"expected one tensor of any name, or one per channel ({', '.join(card.channels)}), "
        f"got {', '.join(values) or 'none'}",
    )
    (tensor,) = values.values()
    array = tensor.numbers()
    require(array.dtype.kind in "fiu", tensor.field, "expected numbers")
    return options, array_input(array, options, card, tensor.field)


def _channel_tensors(
    tensors: Mapping[str, Tensor], many: bool, options: Options, card: Card
) -> SeriesInput:
    """Series that came as a tensor (N,) or (S, N) per channel."""
    first = tensors[card.channels[0]]
    for one in tensors.values():
        require(
            one.shape == first.shape and len(one.shape) < 3,
            f"{one.field}.shape",
            f"is {list(one.shape)}, expected [N] or [S, N], the same for every channel",
        )
    steps = first.shape[-1]
    require_window(steps, first.field, card)
    require_series_count(math.prod(first.shape[:-1]), first.field)
    given = (tensors[name].values for name in card.channels)
    arrays = [one for one in given if isinstance(one, np.ndarray) and one.dtype.kind in "fiu"]
    if len(arrays) == len(tensors) and not card.vocabulary.categories:
        return _channel_arrays(arrays, steps, tensors, many, options, card)
    columns = [_nulls_for_nan(tensors[name].values) for name in card.channels]
    for name, column in zip(card.channels, columns, strict=True):
        # As a word 3 would be "3", in arrays it is the third category: avoid ambiguity.
        words = name not in card.vocabulary.categories or set(map(type, column)) <= WORD_TYPES
        require(words, tensors[name].field, "holds numbers, but categories are BYTES here")
    values = []
    for start in range(0, len(columns[0]), steps):
        place = partial(_place, [tensors[name].field for name in card.channels], start)
        rows = zip(*(column[start : start + steps] for column in columns), strict=True)
        values.append(series_values(list(chain.from_iterable(rows)), "inputs", place, card))
    return annotated_input(values, [len(columns) == 1] * len(values), many, options, card)


def _channel_arrays(
    arrays: Sequence[NDArray[Any]],
    steps: int,
    tensors: Mapping[str, Tensor],
    many: bool,
    options: Options,
    card: Card,
) -> SeriesInput:
    """Series of numbers that came in binary, which lists would hold in sixty times the memory."""
    values = np.empty((len(arrays[0]) // steps, steps, len(arrays)))
    for i, array in enumerate(arrays):
        values[..., i] = array.reshape(-1, steps)
    fields = [tensors[name].field for name in card.channels]
    for number, one in enumerate(values):
        place = partial(_place, fields, number * steps)
        require_in_bounds(one, np.isnan(one), "inputs", place, card)
    return annotated_input(list(values), [len(arrays) == 1] * len(values), many, options, card)


def _place(fields: list[str], start: int, step: int, channel: int) -> str:
    """Name of a value in the tensors of channels."""
    return f"{fields[channel]}.data[{start + step}]"


def _nulls_for_nan(values: list[Any] | NDArray[Any]) -> list[Any]:
    if isinstance(values, list):
        return values
    return [None if value != value else value for value in values.tolist()]


def _answer(tensors: Mapping[str, NDArray[Any]], query: Query, model: ServedModel) -> bytes:
    content: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if query.id is not None:
        content["id"] = query.id
    content["outputs"] = [
        _output_tensor(name, np.atleast_1d(tensor))
        for name, tensor in tensors.items()
        if query.tensors is None or name in query.tensors
    ]
    return dump_json(content)


def _output_tensor(name: str, tensor: NDArray[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "shape": tensor.shape,
        "datatype": datatype_of(name),
        "data": np.ascontiguousarray(tensor).ravel(),
    }
