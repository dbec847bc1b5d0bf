"""Graphs that ONNX Runtime runs on the CPU."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rvae.data.window_dataset import Batch
from rvae.inference.runtimes.graphs import (
    DECODER_GRAPH,
    EVIDENCE_PREFIX,
    LABEL,
    LATENT,
    MEAN,
    TIME,
    WINDOW_GRAPH,
    X,
)
from rvae.inference.runtimes.runtime import Run, Runtime

__all__ = ["OnnxRuntime"]

# Threads that wait for work in a loop take it from others, and a small graph has little to share.
SPINNING = ("session.intra_op.allow_spinning", "0")


class OnnxRuntime(Runtime):
    """Runs the graphs of a model by ONNX Runtime.

    Args:
        name: Name of the runtime.
        graphs: The graphs, by file.
        threads: Threads of a run.
        windows_per_run: Most windows of a run.
    """

    def __init__(
        self, name: str, graphs: Mapping[str, bytes], threads: int, windows_per_run: int
    ) -> None:
        self.name, self.windows_per_run = name, windows_per_run
        self._graphs, self._threads = graphs, threads
        self._windows = _session(graphs[WINDOW_GRAPH], threads)
        self._inputs = [one.name for one in self._windows.get_inputs()]
        self._outputs = [one.name for one in self._windows.get_outputs()]
        self._to_latent = onnxruntime.RunOptions()
        self._to_latent.only_execute_path_to_fetches = True

    def run(self, batch: Batch) -> Run:
        found = dict(zip(self._outputs, self._windows.run(None, self._feed(batch)), strict=True))
        evidence = {
            name.removeprefix(EVIDENCE_PREFIX): values
            for name, values in found.items()
            if name.startswith(EVIDENCE_PREFIX)
        }
        return Run(found[LATENT], found[MEAN], evidence)

    def encode(self, batch: Batch) -> NDArray[np.float32]:
        (latent,) = self._windows.run([LATENT], self._feed(batch), self._to_latent)
        return np.asarray(latent)

    def decode(
        self, latent: NDArray[np.float32], time: NDArray[np.float32], label: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[Any]] = {LATENT: latent, TIME: time, LABEL: label}
        names = [one.name for one in self._decoder.get_inputs()]
        (mean,) = self._decoder.run(None, {name: inputs[name] for name in names})
        return np.asarray(mean)

    def settings(self) -> Mapping[str, Any]:
        return {
            "version": onnxruntime.__version__,
            "threads": self._threads,
            "windows_per_run": self.windows_per_run,
        }

    @cached_property
    def _decoder(self) -> onnxruntime.InferenceSession:
        """Loaded when it is needed: most servers never generate windows."""
        return _session(self._graphs[DECODER_GRAPH], self._threads)

    def _feed(self, batch: Batch) -> dict[str, NDArray[Any]]:
        inputs: dict[str, NDArray[Any]] = {X: batch.x, TIME: batch.time, LABEL: batch.label}
        return {name: inputs[name] for name in self._inputs}


def _session(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry(*SPINNING)
    options.log_severity_level = 3  # errors: warnings are about the optimization of the graph
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
