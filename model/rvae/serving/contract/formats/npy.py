"""Format .npy: one array of numbers, as NumPy saves it."""

import io
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rvae.errors import MalformedError, require
from rvae.inference.card import Card
from rvae.serving.contract.answer_values import result_values, sample_values
from rvae.serving.contract.formats.format import Checked, Format, ServedModel
from rvae.serving.contract.formats.json_text import header_options
from rvae.serving.contract.formats.stacking import stacked
from rvae.serving.contract.inputs.arrays import array_input
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.output import Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.sizes import Kind, Span

__all__ = ["NPY", "read_array", "write_array"]

MAX_AXES = 32  # as in any NumPy

# A header is a line; NumPy parses it as Python, which costs more the longer it is.
MAX_HEADER = 1000

# Of the header that NumPy writes for an array of three axes, and of a value.
HEADER = 128
WIDTHS = {Kind.FLOAT64: Span(8, 8), Kind.FLOAT32: Span(4, 4), Kind.FLOAT: Span(4, 8)}


class Npy(Format):
    """An array, with the other fields of the request in the header Rvae-Options."""

    media_type: ClassVar[str] = "application/octet-stream"
    aliases: ClassVar[tuple[str, ...]] = ("application/x-npy",)
    decode_bytes_per_byte: ClassVar[int] = 20  # a category in 8 bits: its double, twice
    magic: ClassVar[tuple[bytes, ...]] = (b"\x93NUMPY",)
    schema: ClassVar[dict[str, Any]] = {"description": "An array of numbers: a .npy file."}

    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], Any]:
        return header_options(request), read_array(body)

    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        options = Options.parse_without_values(fields)
        return Checked(options, array_input(payload, options, card))

    def default_outputs(self, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        return outputs[-1:]

    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        arrays = [output.name for output in OUTPUTS.values() if output.is_array]
        require(
            len(outputs) < 2 and all(output.is_array for output in outputs),
            "output",
            f"a .npy file holds one array: name one of {', '.join(arrays)}, or accept another "
            "format",
        )
        # Other fields of an output, such as the threshold, are not in the array.
        names = [output.name for output in outputs]
        require(
            set(tensors or ()) <= {*names, "instances"},
            "outputs",
            f"a .npy file holds {' '.join(names) or 'instances'} here: name that alone, or accept "
            "another format",
        )

    def answer_size(self, query: Query, card: Card) -> Span:
        if query.generates:
            values = sample_values(query, card, words=False)
        else:
            values = (
                v
                for v in result_values(query, card, words=False)
                if v.name == query.outputs[0].name
            )
        (array,) = values
        width = WIDTHS[array.kind] if query.inputs.wide else WIDTHS[Kind.FLOAT32]
        return Span.exactly(HEADER) + width * array.count

    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        (output,) = query.outputs
        array = stacked([result.values[output.name] for result in results], query.inputs)
        return write_array(_narrow(array, query))

    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        return write_array(_narrow(samples.windows, query))


NPY = Npy()


def read_array(body: bytes | bytearray) -> NDArray[np.generic]:
    """The array in a .npy file, which is never unpickled.

    Raises:
        MalformedError: If it is not a .npy file, or its content does not match its header.
    """
    try:
        stream = io.BytesIO(body)
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, by_columns, dtype = header(stream, max_header_size=MAX_HEADER)
    except Exception as error:
        # The ways in which a header can be wrong are too many to list.
        raise MalformedError("body", "is not a .npy file: its header cannot be read") from error
    # Python takes truth values for whole numbers.
    whole = all(type(size) is int and size >= 0 for size in shape)
    if not whole or len(shape) > MAX_AXES:
        raise MalformedError("body", f"has the shape {str(list(shape))[:100]}")
    rest = memoryview(body)[stream.tell() :]
    if dtype.kind not in "fiu":
        raise MalformedError("body", f"holds {str(dtype)[:50]}, expected integers or floats")
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise MalformedError(
            "body", f"has the shape {str(list(shape))[:100]}, but {len(rest)} bytes of values"
        )
    if 0 in shape:
        raise MalformedError("body", f"has no values in the shape {str(list(shape))[:100]}")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if by_columns else "C")


def write_array(array: NDArray[np.generic]) -> bytes:
    """A .npy file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _narrow(array: NDArray[Any], query: Query) -> NDArray[Any]:
    """The array in 32 bits, unless the request had more."""
    return array if query.inputs.wide else array.astype(np.float32)
