import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from rvae.serving.contract.formats.arrow import ARROW
from rvae.serving.contract.messages import Request
from tests.support.arrow_streams import stream

LIMIT = 1 << 20  # bytes of an answer


def file_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("write", [stream, file_of])
def test_streams_and_files_are_known_by_their_first_bytes(write: object) -> None:
    assert callable(write)
    table = pa.table({"a": [1.5, None], "b": ["x", "y"]})
    body = write(table)
    assert body.startswith(ARROW.magic)
    fields, found = ARROW.decode(body, Request(body, options='{"stride": 2}'))
    assert fields == {"stride": 2}
    assert found.equals(table)


def test_columns_are_read_as_they_were_written() -> None:
    body = ARROW.encode_table({"a": np.array([1.5, np.nan]), "b": np.array([1, 2])}, LIMIT)
    assert body.startswith(ARROW.magic)
    assert ARROW.decode_table(body).to_pydict() == {"a": [1.5, None], "b": [1, 2]}
