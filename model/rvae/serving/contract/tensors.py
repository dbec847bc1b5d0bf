"""Requests of the Open Inference Protocol, version 2: named tensors.

https://github.com/kserve/open-inference-protocol, the REST protocol and its extension for binary
tensors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rvae.errors import FieldError, MalformedError, require, require_readable
from rvae.inference.card import Card
from rvae.serving.contract.arrays import given_in_array
from rvae.serving.contract.given import Given, given, require_few, require_window
from rvae.serving.contract.lists import numbers_in, values_of
from rvae.serving.contract.options import BESIDE, WHOLE, Options, first_fault
from rvae.serving.contract.outputs import NAMES, Output

__all__ = ["Inference", "InferenceRequest", "given_in_tensors", "read_inference"]

NUMERIC = {
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
KINDS: dict[str, set[type]] = {
    "BOOL": {bool},
    "BYTES": {str, type(None)},
    **{
        name: {int, float, type(None)} if dtype.kind == "f" else {int}
        for name, dtype in NUMERIC.items()
    },
}

# More than a model has channels. Pydantic would collect what is wrong with each of any number.
TENSORS = 4096

# By name, what has to be asked for to be answered with a tensor.
ASKED: Mapping[str, Output] = {
    name: output for output, names in NAMES.items() if output != "events" for name in names
}

# Tensors that answers have unasked: of other tasks than to score, all.
UNASKED: Mapping[str, tuple[str, ...]] = {
    "encode": ("starts", "latent"),
    "reconstruct": ("starts", "reconstruction"),
    "decode": ("instances", "latent"),
    "sample": ("instances", "latent", "seed"),
}

# What categories by name may be.
WORDS = {str, bool, type(None)}

# Some clients say this of every request, and take JSON as well.
IGNORED = {"binary_data_output"}


class TensorInput(BaseModel):
    """A tensor of a request.

    One tensor of any name holds all channels, [N, C] of one series or [S, N, C] of several. Or each
    channel has one of its name, [N] or [S, N]. `timestamps` and `label` are as elsewhere.
    """

    model_config = ConfigDict(strict=True)

    name: str
    shape: Annotated[
        list[Annotated[int, Field(ge=1, le=2**31), WHOLE]], Field(min_length=1, max_length=3)
    ]
    datatype: Literal[
        "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
        "FP16", "FP32", "FP64", "BYTES",
    ]  # fmt: skip
    parameters: dict[str, Any] | None = None
    data: Annotated[
        list[Any] | None,
        Field(description="Values in row-major order, flat or nested; null is missing."),
    ] = None


class RequestedOutput(BaseModel):
    """An output that is asked for."""

    model_config = ConfigDict(strict=True)

    name: str
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """The body of a request of the Open Inference Protocol."""

    model_config = ConfigDict(strict=True)

    id: str | None = None
    parameters: Annotated[
        dict[str, Any] | None, Field(description="What are fields in requests of the other form.")
    ] = None
    inputs: Annotated[list[TensorInput], Field(max_length=TENSORS)]
    outputs: Annotated[list[RequestedOutput] | None, Field(max_length=TENSORS)] = None


@dataclass(frozen=True)
class Tensor:
    """A tensor whose values are as many as its shape says.

    Attributes:
        field: What it is called in errors.
        shape: Of the tensor.
        values: Row by row: a list where they came in JSON, an array where they came in binary.
    """

    field: str
    shape: tuple[int, ...]
    values: list[Any] | NDArray[Any]

    def numbers(self) -> NDArray[Any]:
        """As an array of this shape, NaN where missing."""
        if isinstance(self.values, list):
            place = f"{self.field}.data[{{}}]".format
            return numbers_in(self.values, self.field, place)[0].reshape(self.shape)
        return self.values.reshape(self.shape)

    def nested(self) -> list[Any]:
        """As nested lists."""
        return np.array(self.values, dtype=object).reshape(self.shape).tolist()


@dataclass(frozen=True)
class Inference:
    """A request of this protocol.

    Attributes:
        id: What the answer is to be marked with.
        fields: What are fields in requests of the other form.
        tensors: By name.
        wanted: Names of the tensors to answer with; all that there are, if None.
    """

    id: str | None
    fields: dict[str, Any]
    tensors: dict[str, Tensor]
    wanted: tuple[str, ...] | None


def read_inference(content: Mapping[str, Any], binary: memoryview) -> Inference:
    """Check a request that was parsed.

    Args:
        content: What JSON said.
        binary: What came behind it.

    Raises:
        MalformedError: If it is no request of this protocol, or a tensor is not what it says.
    """
    try:
        request = InferenceRequest.model_validate(content)
    except ValidationError as error:
        raise MalformedError(*first_fault(error)) from None
    tensors: dict[str, Tensor] = {}
    for i, one in enumerate(request.inputs):
        field = f"inputs[{i}]"
        require_readable(one.name not in tensors, f"{field}.name", f"{one.name!r} came before")
        size = (one.parameters or {}).get("binary_data_size")
        if size is None:
            values: Any = _from_lists(one, field)
        else:
            require_readable(
                type(size) is int and 0 <= size <= len(binary),
                f"{field}.parameters",
                "binary_data_size is more than what came",
            )
            values, binary = _from_binary(one, binary[:size], field), binary[size:]
        tensors[one.name] = Tensor(field, tuple(one.shape), values)
    require_readable(
        len(binary) == 0, "body", f"holds {len(binary)} bytes that belong to no tensor"
    )
    fields = {k: v for k, v in (request.parameters or {}).items() if k not in IGNORED}
    wanted = None if request.outputs is None else tuple(one.name for one in request.outputs)
    if wanted:
        if "output" in fields:
            raise FieldError("output", "cannot be given together with outputs")
        task = str(fields.get("task"))
        output = [_output_of(name, task, f"outputs[{i}].name") for i, name in enumerate(wanted)]
        fields["output"] = list(dict.fromkeys(one for one in output if one is not None)) or None
    return Inference(request.id, fields, tensors, wanted or None)


def given_in_tensors(inference: Inference, card: Card) -> tuple[Options, Given]:
    """What an inference request is about, and what is to be done with it.

    Raises:
        FieldError: If it does not fit the model.
    """
    about = {name: one for name, one in inference.tensors.items() if name not in BESIDE}
    named = (
        inference.fields.get("task") != "decode"  # latents are of no channel, whatever their name
        and set(about) == set(card.channels)
        and all(one.shape[-1] > 1 for one in about.values())
    )
    most = max((len(one.shape) for one in about.values()), default=0)
    many = most > (1 if named else 2)
    fields = inference.fields.copy()
    for name in BESIDE:
        if name in inference.tensors:
            nested = inference.tensors[name].nested()
            alone = name == "label" and not many and len(nested) == 1
            fields[name] = nested[0] if alone else nested
    options = Options.beside(fields)
    if options.task == "sample":
        require(not about, "inputs", "has a meaning for every task but sample")
        return options, Given([], [], many=True)
    if named:
        return options, _by_name(about, many, options, card)
    require(
        len(about) == 1,
        "inputs",
        f"expected one tensor of any name, or one for each channel ({', '.join(card.channels)}), "
        f"got {', '.join(about) or 'none'}",
    )
    (tensor,) = about.values()
    array = tensor.numbers()
    require(array.dtype.kind in "fiu", tensor.field, "expected numbers")
    return options, given_in_array(array, options, card, tensor.field)


def _by_name(about: Mapping[str, Tensor], many: bool, options: Options, card: Card) -> Given:
    """Series that came as a tensor (N,) or (S, N) for each channel."""
    first = about[card.channels[0]]
    for one in about.values():
        require(
            one.shape == first.shape and len(one.shape) < 3,
            f"{one.field}.shape",
            f"is {list(one.shape)}, expected [N] or [S, N] for every channel, and the same",
        )
    steps = first.shape[-1]
    require_window(steps, first.field, card)
    require_few(math.prod(first.shape[:-1]), first.field)
    columns = [_plain(about[name].values) for name in card.channels]
    for name, column in zip(card.channels, columns, strict=True):
        # As a word 3 would be "3", elsewhere it is the third category: nobody should have to guess.
        words = name not in card.vocabulary.categories or set(map(type, column)) <= WORDS
        require(words, about[name].field, "holds numbers, but categories are BYTES here")
    values = []
    for begin in range(0, len(columns[0]), steps):
        place = partial(_place, [about[name].field for name in card.channels], begin)
        of_one = zip(*(column[begin : begin + steps] for column in columns), strict=True)
        values.append(values_of(list(chain.from_iterable(of_one)), "inputs", place, card))
    return given(values, [len(columns) == 1] * len(values), many, options, card)


def _place(fields: list[str], begin: int, step: int, channel: int) -> str:
    """What a value is called in the tensors of channels."""
    return f"{fields[channel]}.data[{begin + step}]"


def _plain(values: list[Any] | NDArray[Any]) -> list[Any]:
    """With None where a number is missing."""
    if isinstance(values, list):
        return values
    return [None if value != value else value for value in values.tolist()]


def _output_of(name: str, task: str, field: str) -> Output | None:
    """What has to be asked for to be answered with a tensor of this name, if anything."""
    unasked = UNASKED.get(task, ("starts",))
    asked = {} if task in UNASKED else ASKED
    known = (*unasked, *asked)
    require(name in known, field, f"{name!r} is none of {', '.join(known)}")
    return asked.get(name)


def _from_lists(tensor: TensorInput, field: str) -> list[Any]:
    """The values of a tensor that came in JSON."""
    values, shape = tensor.data, tensor.shape
    if values is None:
        raise MalformedError(
            f"{field}.data", "is missing, and so is binary_data_size among the parameters"
        )
    if values and type(values[0]) is list:
        for length in shape[1:]:
            nested = set(map(type, values)) == {list} and set(map(len, values)) == {length}
            require_readable(nested, f"{field}.data", f"is not nested as the shape {shape} says")
            values = list(chain.from_iterable(values))
    require_readable(
        len(values) == math.prod(shape),
        f"{field}.data",
        f"has {len(values)} values, but the shape {shape} has {math.prod(shape)}",
    )
    strange = set(map(type, values)) - KINDS[tensor.datatype]
    if strange:
        index = next(i for i, value in enumerate(values) if type(value) in strange)
        raise MalformedError(f"{field}.data[{index}]", f"is no {tensor.datatype}")
    return values


def _from_binary(tensor: TensorInput, chunk: memoryview, field: str) -> list[Any] | NDArray[Any]:
    """The values of a tensor that came behind the JSON."""
    size = math.prod(tensor.shape)
    if tensor.datatype == "BYTES":
        texts = []
        while chunk:
            length = int.from_bytes(chunk[:4], "little")
            require_readable(4 + length <= len(chunk), field, "ends in the middle of a text")
            try:
                texts.append(str(chunk[4 : 4 + length], "utf-8"))
            except UnicodeDecodeError:
                raise MalformedError(field, "holds something else than UTF-8") from None
            chunk = chunk[4 + length :]
        require_readable(len(texts) == size, field, f"has {len(texts)} texts, its shape has {size}")
        return texts
    dtype = NUMERIC.get(tensor.datatype, np.dtype(np.bool_))
    require_readable(
        len(chunk) == size * dtype.itemsize,
        field,
        f"has {len(chunk)} bytes, but {size} values of {tensor.datatype} were said",
    )
    return np.frombuffer(chunk, dtype)
