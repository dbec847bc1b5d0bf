"""Graphs in ONNX → graphs that compute with integers of eight bits."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from rvae.errors import FieldError
from rvae.inference.runtimes.graphs import LATENT, X

__all__ = ["quantize"]

# Its products are almost all of a recurrent network. Others are few, and cost more accuracy.
OPERATION = "LSTM"

# Places of its last state among its outputs, and of its first one among its inputs.
HIDDEN, INITIAL = 1, 5

# Inputs of graphs that may have any size, and operations whose results have bounds of their own.
UNBOUNDED = (X, LATENT)
BOUNDED = (OPERATION, "IsNaN", "Shape")


def quantize(graphs: Mapping[str, bytes]) -> dict[str, bytes]:
    """Graphs whose LSTM layers have weights of eight bits, each unit with a scale of its own.

    Inputs of a layer are scaled as they come, all windows of a run together: so that no data is
    needed, but the largest value of a window would round those of all others. Layers that read
    values of any size, the first one of an encoder, therefore stay as they are. All others read
    states, which lie between -1 and 1, a clock and conditions.

    Raises:
        FieldError: If there is no such layer.
    """
    models = {file: onnx.load_from_string(graph) for file, graph in graphs.items()}
    layers = {file: _layers(model.graph) for file, model in models.items()}
    if not any(layers.values()):
        raise FieldError(
            "runtime",
            "onnx-int8 is for LSTM layers that read states or a clock, and the model has none",
        )
    return {
        file: _quantized(models[file], layers[file]) if layers[file] else graph
        for file, graph in graphs.items()
    }


def _layers(graph: onnx.GraphProto) -> list[str]:
    """Names of the LSTM layers whose inputs have bounds, whatever the windows are.

    A layer that is unrolled step by step is none: the quantizer fails at weights that are the same.
    """
    every = [node for node in graph.node if node.op_type == OPERATION]
    carried = {node.output[HIDDEN] for node in every} & {node.input[INITIAL] for node in every}
    unbounded = set(UNBOUNDED)
    for node in graph.node:  # each one after those whose outputs it reads
        if node.op_type not in BOUNDED and not unbounded.isdisjoint(node.input):
            unbounded.update(node.output)
    return [
        node.name
        for node in every
        if node.input[0] not in unbounded
        and carried.isdisjoint((node.input[INITIAL], node.output[HIDDEN]))
    ]


def _quantized(model: onnx.ModelProto, layers: list[str]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="rvae-graph-") as scratch, _silent():
        written = Path(scratch) / "graph.onnx"
        quantize_dynamic(
            model,
            written,
            op_types_to_quantize=[OPERATION],
            nodes_to_quantize=layers,
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
