"""Arrays of numbers as bytes in the .npy format, and as series."""

import io
import math

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, MalformedError, require
from rvae.inference.card import Card
from rvae.serving.contract.given import Given, given, require_few, require_fits, require_window
from rvae.serving.contract.latents import latents
from rvae.serving.contract.options import Options

__all__ = ["given_in_array", "read_array", "write_array"]

# A header is a line; NumPy parses it as Python, which costs more the longer it is.
LONGEST_HEADER = 1000


def read_array(body: bytes | bytearray) -> NDArray[np.generic]:
    """The array in a .npy file, which is never unpickled.

    Raises:
        MalformedError: If it is none, or something else than the numbers it says it holds.
    """
    try:
        stream = io.BytesIO(body)
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, by_columns, dtype = header(stream, max_header_size=LONGEST_HEADER)
    except Exception as error:
        # The ways in which a header can be wrong are too many to list.
        raise MalformedError("body", "is not a .npy file: its header cannot be read") from error
    rest = memoryview(body)[stream.tell() :]
    if dtype.kind not in "fiu":
        raise MalformedError("body", f"holds {str(dtype)[:50]}, expected integers or floats")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(rest):
        raise MalformedError(
            "body", f"says the shape {str(list(shape))[:100]}, but {len(rest)} bytes of values came"
        )
    if 0 in shape:
        raise MalformedError("body", f"has no values in the shape {str(list(shape))[:100]}")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if by_columns else "C")


def write_array(array: NDArray[np.generic]) -> bytes:
    """A .npy file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def given_in_array(
    array: NDArray[np.generic], options: Options, card: Card, field: str = "body"
) -> Given:
    """What an array is about: latents (S, D), one series (N,) or (N, C), or several (S, N, C).

    NaN is a missing value, and a category is its number.

    Args:
        array: Of integers or floats.
        options: What is to be done with it.
        card: Of the model.
        field: What it is called.

    Raises:
        FieldError: If it does not fit the model.
    """
    wide = array.dtype.itemsize > 4
    if options.task == "decode":
        return latents(array.astype(np.float64), field, card, wide)
    channels, dimensions = len(card.channels), array.ndim
    fits = (dimensions == 1 and channels == 1) or (
        dimensions in (2, 3) and array.shape[-1] == channels
    )
    require(
        fits,
        field,
        f"has the shape {str(list(array.shape))[:100]}, expected [N, {channels}] for one series or "
        f"[S, N, {channels}] for several",
    )
    if options.task == "sample":
        raise FieldError(field, "has a meaning for no task but score, encode and reconstruct")
    require_window(array.shape[-2] if dimensions > 1 else len(array), field, card)
    many, flat = dimensions == 3, dimensions == 1
    require_few(len(array) if many else 1, field)
    series = array.astype(np.float64).reshape(
        (-1, *array.shape[-2:]) if many else (1, -1, channels)
    )

    def place(step: int, channel: int) -> str:
        inner = f"[{step}]" if flat else f"[{step}][{channel}]"
        return f"{field}[{number}]{inner}" if many else field + inner

    for number, values in enumerate(series):
        name = f"{field}[{number}]" if many else field
        require_fits(values, np.isnan(values), name, place, card)
    return given(list(series), [flat] * len(series), many, options, card, wide)
