"""Asking a service without a server."""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, ipc

from rvae.serving.contract.messages import Call
from rvae.serving.service import Service

__all__ = ["answer_to", "arrow", "read_answer", "to_npy"]


def answer_to(
    service: Service,
    body: bytes | dict[str, Any],
    content_type: str = "application/json",
    explain: bool = False,
    **call: Any,
) -> tuple[int, Any]:
    """Status and content of the reply to a body, or to an object in JSON."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    (reply,) = service.answer([Call(body, explain, content_type, **call)])
    return reply.status, read_answer(reply.content_type, reply.body)


def read_answer(content_type: str, body: bytes) -> Any:
    """Content of an answer, as what is usual for its kind reads it."""
    match content_type:
        case "application/json":
            return json.loads(body)
        case "text/csv":
            return csv.read_csv(io.BytesIO(body))
        case "application/octet-stream":
            return np.load(io.BytesIO(body), allow_pickle=False)
        case "application/vnd.apache.arrow.stream":
            return ipc.open_stream(body).read_all()
    raise AssertionError(content_type)


def to_npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def arrow(**columns: Any) -> bytes:
    """An Arrow stream with some columns."""
    table = pa.table(columns)
    stream = io.BytesIO()
    with ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()
