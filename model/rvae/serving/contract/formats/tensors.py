"""Tensors of the Open Inference Protocol, version 2: named, typed and shaped lists of values.

https://github.com/kserve/open-inference-protocol, the REST protocol and its extension for binary
tensors.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rvae.errors import MalformedError, require_readable
from rvae.serving.contract.inputs.lists import number_array
from rvae.serving.contract.options import WHOLE_NUMBER, first_error

__all__ = ["InferenceRequest", "Tensor", "read_tensors"]

NUMERIC = {
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
TYPES: dict[str, set[type]] = {
    "BOOL": {bool},
    "BYTES": {str, type(None)},
    **{
        name: {int, float, type(None)} if dtype.kind == "f" else {int}
        for name, dtype in NUMERIC.items()
    },
}

# More than a model has channels. Pydantic would collect what is wrong with each of any number.
MAX_TENSORS = 4096


class TensorInput(BaseModel):
    """A tensor of a request.

    One tensor of any name holds all channels, [N, C] of one series or [S, N, C] of several. Or each
    channel has a tensor of its name, [N] or [S, N]. `timestamps` and `label` are as in JSON.
    """

    model_config = ConfigDict(strict=True)

    name: str
    shape: Annotated[
        list[Annotated[int, Field(ge=1, le=2**31), WHOLE_NUMBER]], Field(min_length=1, max_length=3)
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
    """A requested output tensor."""

    model_config = ConfigDict(strict=True)

    name: str
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """The body of a request of the Open Inference Protocol."""

    model_config = ConfigDict(strict=True)

    id: str | None = None
    parameters: Annotated[
        dict[str, Any] | None,
        Field(description="The fields of a request in JSON, other than series."),
    ] = None
    inputs: Annotated[list[TensorInput], Field(max_length=MAX_TENSORS)]
    outputs: Annotated[list[RequestedOutput] | None, Field(max_length=MAX_TENSORS)] = None


@dataclass(frozen=True)
class Tensor:
    """A tensor with as many values as its shape has.

    Attributes:
        field: Name of the tensor in errors.
        shape: Its shape.
        values: Row by row: a list if they came in JSON, an array if they came in binary.
    """

    field: str
    shape: tuple[int, ...]
    values: list[Any] | NDArray[Any]

    def numbers(self) -> NDArray[Any]:
        """As an array of this shape, NaN where missing."""
        if isinstance(self.values, list):
            place = f"{self.field}.data[{{}}]".format
            return number_array(self.values, self.field, place)[0].reshape(self.shape)
        return self.values.reshape(self.shape)

    def nested(self) -> list[Any]:
        """As nested lists."""
        return np.array(self.values, dtype=object).reshape(self.shape).tolist()


def read_tensors(
    content: Mapping[str, Any], binary: memoryview
) -> tuple[InferenceRequest, dict[str, Tensor]]:
    """Check the form of a request.

    Args:
        content: The JSON object.
        binary: What follows it in the body.

    Returns:
        The request, and its tensors by name.

    Raises:
        MalformedError: If it is not a request of this protocol, or the values of a tensor do not
            match its shape and type.
    """
    try:
        request = InferenceRequest.model_validate(content)
    except ValidationError as error:
        raise MalformedError(*first_error(error)) from None
    tensors: dict[str, Tensor] = {}
    for i, one in enumerate(request.inputs):
        field = f"inputs[{i}]"
        require_readable(one.name not in tensors, f"{field}.name", f"{one.name!r} is there twice")
        size = (one.parameters or {}).get("binary_data_size")
        if size is None:
            values: Any = _json_values(one, field)
        else:
            require_readable(
                type(size) is int and 0 <= size <= len(binary),
                f"{field}.parameters",
                "binary_data_size is more than the body holds",
            )
            values, binary = _binary_values(one, binary[:size], field), binary[size:]
        tensors[one.name] = Tensor(field, tuple(one.shape), values)
    require_readable(
        len(binary) == 0, "body", f"holds {len(binary)} bytes that belong to no tensor"
    )
    return request, tensors


def _json_values(tensor: TensorInput, field: str) -> list[Any]:
    """The values of a tensor in JSON."""
    values, shape = tensor.data, tensor.shape
    if values is None:
        raise MalformedError(
            f"{field}.data", "is missing, and so is binary_data_size among the parameters"
        )
    if values and type(values[0]) is list:
        for length in shape[1:]:
            nested = set(map(type, values)) == {list} and set(map(len, values)) == {length}
            require_readable(nested, f"{field}.data", f"is not nested as the shape {shape} is")
            values = list(chain.from_iterable(values))
    require_readable(
        len(values) == math.prod(shape),
        f"{field}.data",
        f"has {len(values)} values, but the shape {shape} has {math.prod(shape)}",
    )
    unexpected = set(map(type, values)) - TYPES[tensor.datatype]
    if unexpected:
        index = next(i for i, value in enumerate(values) if type(value) in unexpected)
        raise MalformedError(f"{field}.data[{index}]", f"is not a value of {tensor.datatype}")
    return values


def _binary_values(tensor: TensorInput, chunk: memoryview, field: str) -> list[Any] | NDArray[Any]:
    """The values of a tensor behind the JSON."""
    size = math.prod(tensor.shape)
    if tensor.datatype == "BYTES":
        texts = list(islice(_texts(bytes(chunk), field), size + 1))
        require_readable(len(texts) == size, field, f"has not {size} texts, as its shape")
        return texts
    dtype = NUMERIC.get(tensor.datatype, np.dtype(np.bool_))
    require_readable(
        len(chunk) == size * dtype.itemsize,
        field,
        f"has {len(chunk)} bytes, expected {size} values of {tensor.datatype}",
    )
    return np.frombuffer(chunk, dtype)


def _texts(chunk: bytes, field: str) -> Iterator[str]:
    """Texts, each behind its length in four bytes."""
    at = 0
    while at < len(chunk):
        start = at + 4
        at = start + int.from_bytes(chunk[at:start], "little")
        require_readable(start <= at <= len(chunk), field, "ends in the middle of a text")
        try:
            yield chunk[start:at].decode()
        except UnicodeDecodeError:
            raise MalformedError(field, "holds text that is not UTF-8") from None
