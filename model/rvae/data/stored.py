"""Arrays on disk, of which stretches are read on demand."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from operator import index
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from rvae.errors import FieldError, require

__all__ = ["Spool", "StoredArray", "blocks"]

# Half a megabyte: intermediate results should fit into the processor's caches.
NUMBERS_PER_BLOCK = 1 << 16


class StoredArray:
    """Rows (N, C) of a file, not held in memory.

    A slice is again such a view; `numpy.asarray` reads only the rows of the view, as float64 by
    default. Unlike in a memory map, rows that were read do not count as memory of the process
    afterwards.

    All views of a file share one descriptor, which is closed with the last of them. Reading does
    not move a position in the file, so forked processes may read at the same time. Views cannot
    be pickled, hence not be sent to spawned processes.
    """

    __slots__ = ("_descriptor", "_dtype", "_offset", "shape")

    def __init__(
        self, descriptor: "_Descriptor", offset: int, dtype: np.dtype[Any], shape: tuple[int, int]
    ) -> None:
        self._descriptor = descriptor
        self._offset = offset  # in bytes, of the first row
        self._dtype = dtype
        self.shape = shape

    @classmethod
    def of_npy(cls, path: Path) -> "StoredArray":
        """View a .npy file of numbers or booleans; (N,) becomes (N, 1).

        Raises:
            FieldError: If the file holds something else, in another order, or is incomplete.
        """
        with path.open("rb") as file:
            shape, fortran, dtype = _npy_header(file, path.name)
            require(
                dtype.kind in "fiub", "data", f"{path.name} holds {dtype}, expected real numbers"
            )
            require(
                len(shape) in (1, 2), "data", f"{path.name} holds {shape}, expected (N,) or (N, C)"
            )
            rows, channels = shape if len(shape) == 2 else (*shape, 1)
            # A single column or row has the same layout in both orders.
            require(
                not fortran or min(rows, channels) <= 1,
                "data",
                f"{path.name} is stored column by column: save numpy.ascontiguousarray of it",
            )
            offset = file.tell()
            expected = rows * channels * dtype.itemsize
            found = os.fstat(file.fileno()).st_size - offset
            require(
                found >= expected,
                "data",
                f"{path.name} is cut short: {found} bytes of numbers instead of {expected}",
            )
            return cls(_Descriptor(file), offset, dtype, (rows, channels))

    @property
    def is_numeric(self) -> bool:
        """Whether the file holds numbers, and not booleans."""
        return self._dtype.kind != "b"

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> "StoredArray":
        if not isinstance(rows, slice):
            raise TypeError(f"give a slice of rows, not {type(rows).__name__}")
        length, channels = self.shape
        if rows.step not in (None, 1):
            raise IndexError(f"rows come one after another, not by steps of {rows.step}")
        start = 0 if rows.start is None else index(rows.start)
        stop = length if rows.stop is None else index(rows.stop)
        if min(start, stop) < 0:
            raise IndexError(f"count rows from the first: {start}:{stop}")
        start = min(start, length)
        stop = min(max(start, stop), length)
        offset = self._offset + start * channels * self._dtype.itemsize
        return StoredArray(self._descriptor, offset, self._dtype, (stop - start, channels))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("an array on disk cannot be read without a copy")
        values = np.empty(self.shape, self._dtype)
        self._descriptor.read(values, self._offset)
        return values.astype(np.float64 if dtype is None else dtype, copy=False)


class Spool:
    """A temporary file of rows, for formats without random access.

    It lies in Python's folder of temporary files (TMPDIR), which should be on a disk with enough
    space, and is deleted with the last view of it.
    """

    def __init__(self, channels: int, dtype: DTypeLike = np.float64) -> None:
        self._dtype = np.dtype(dtype)
        self._shape = (0, channels)
        with tempfile.TemporaryFile() as file:
            self._descriptor = _Descriptor(file)

    def append(self, block: NDArray[Any]) -> None:
        """Add rows (n, C).

        Raises:
            OSError: If they cannot be written, for instance on a full disk.
        """
        rows, channels = self._shape
        if block.ndim != 2 or block.shape[1] != channels:
            raise ValueError(f"expected rows of {channels} channels, got {block.shape}")
        values = np.ascontiguousarray(block, self._dtype)
        self._descriptor.write(values, rows * channels * self._dtype.itemsize)
        self._shape = (rows + len(values), channels)

    def stored(self) -> StoredArray:
        """View of all rows that have been appended so far."""
        return StoredArray(self._descriptor, 0, self._dtype, self._shape)


def blocks(
    values: NDArray[Any] | StoredArray, numbers: int = NUMBERS_PER_BLOCK
) -> Iterator[NDArray[Any]]:
    """Consecutive blocks (n, C) of whole rows, each of at most `numbers` numbers."""
    rows = max(1, numbers // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        yield np.asarray(values[start : start + rows])


class _Descriptor:
    """A descriptor of an open file that lives as long as this object."""

    def __init__(self, file: IO[bytes]) -> None:
        self._number = os.dup(file.fileno())
        # Left open at exit, when a thread may still be reading.
        weakref.finalize(self, os.close, self._number).atexit = False

    def read(self, values: NDArray[Any], offset: int) -> None:
        """Fill an array with the content of the file from `offset` bytes on."""
        rest = _bytes_of(values)
        while rest:
            count = os.preadv(self._number, [rest], offset)
            require(count > 0, "data", "a file was cut short while it was being read")
            rest, offset = rest[count:], offset + count

    def write(self, values: NDArray[Any], offset: int) -> None:
        """Put an array into the file from `offset` bytes on."""
        rest = _bytes_of(values)
        while rest:
            count = os.pwrite(self._number, rest, offset)
            rest, offset = rest[count:], offset + count


def _bytes_of(values: NDArray[Any]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data


def _npy_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type; moves the file to the first number."""
    try:
        version = npy.read_magic(file)
        # Version 3 differs only in field names, which arrays of numbers do not have.
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
        # NumPy takes truth values and negative numbers for sizes.
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"its shape is {shape}")
        return shape, fortran, dtype
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise FieldError("data", f"{name} is no .npy file: {reason}") from error
