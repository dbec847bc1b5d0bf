"""Graphs in ONNX → graphs that compute with integers of eight bits."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from rvae.errors import FieldError

__all__ = ["quantize"]

# Its products are almost all of a recurrent network. Others are few, and cost more accuracy.
OPERATION = "LSTM"


def quantize(graph: bytes) -> bytes:
    """A graph whose LSTM layers have weights of eight bits, each unit with a scale of its own.

    Their inputs are scaled as they come, so that no data is needed.

    Raises:
        FieldError: If the graph has no LSTM.
    """
    model = onnx.load_from_string(graph)
    if not any(node.op_type == OPERATION for node in model.graph.node):
        raise FieldError("runtime", "onnx-int8 is for LSTM layers, and the model has none")
    with tempfile.TemporaryDirectory(prefix="rvae-graph-") as scratch, _silent():
        written = Path(scratch) / "graph.onnx"
        quantize_dynamic(
            model,
            written,
            op_types_to_quantize=[OPERATION],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        return written.read_bytes()


@contextmanager
def _silent() -> Iterator[None]:
    """Without the advice to optimize the graph first: it is optimized when it is loaded."""
    root = logging.getLogger()

    def nothing(record: logging.LogRecord) -> bool:
        return False

    root.addFilter(nothing)
    try:
        yield
    finally:
        root.removeFilter(nothing)
