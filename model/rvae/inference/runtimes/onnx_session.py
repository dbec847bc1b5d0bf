"""Graphs that ONNX Runtime runs."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

# It tells its makers where and how it is used, unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from numpy.typing import NDArray

from rvae.inference.runtimes.graph_runtime import Session

__all__ = ["OnnxSession"]

# Threads that wait for work in a loop take it from others, and a small graph has little to share.
SPINNING = ("session.intra_op.allow_spinning", "0")

ERRORS = 3  # warnings are about the optimization of the graph


class OnnxSession(Session):
    """A graph in ONNX Runtime.

    Args:
        graph: The graph in ONNX.
        threads: Threads of a run.
    """

    def __init__(self, graph: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS
        options.add_session_config_entry(*SPINNING)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self.inputs = [one.name for one in self._session.get_inputs()]
        self.outputs = [one.name for one in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        found: Sequence[NDArray[Any]] = self._session.run(self.outputs, inputs)
        return found
