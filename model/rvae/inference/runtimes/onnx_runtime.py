"""Graphs that ONNX Runtime runs on the CPU."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rvae.data.window_dataset import Batch
from rvae.inference.runtimes.graphs import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    EVIDENCE_PREFIX,
    LABEL,
    LATENT,
    MEAN,
    TIME,
    WINDOW_GRAPH,
    X,
)
from rvae.inference.runtimes.runtime import Run, Runtime
from rvae.inference.runtimes.tuning import MAX_BATCH, Tuning, tune

__all__ = ["OnnxRuntime"]

# Threads that wait for work in a loop take it from others, and a small graph has little to share.
SPINNING = ("session.intra_op.allow_spinning", "0")


class OnnxRuntime(Runtime):
    """Runs the graphs of a model by ONNX Runtime.

    Args:
        name: Name of the runtime.
        graphs: The graphs, by file.
        tuning: Threads and batches.
    """

    def __init__(self, name: str, graphs: Mapping[str, bytes], tuning: Tuning) -> None:
        self.name, self.windows_per_run = name, tuning.windows_per_run
        self.concurrency = tuning.concurrency
        self._graphs, self._tuning = graphs, tuning
        # By threads: a session cannot change their number.
        self._windows = {
            threads: _session(graphs[WINDOW_GRAPH], threads) for threads in {tuning.threads, 1}
        }
        (session, *_) = self._windows.values()
        self._inputs = [one.name for one in session.get_inputs()]
        self._outputs = [one.name for one in session.get_outputs()]

    @classmethod
    def tuned(
        cls,
        name: str,
        graphs: Mapping[str, bytes],
        most_threads: int,
        example: Callable[[int], Batch],
    ) -> "OnnxRuntime":
        """Measure what is fastest on this machine.

        Args:
            name: Name of the runtime.
            graphs: The graphs, by file.
            most_threads: Threads that may be used.
            example: Makes a batch of so many windows.
        """
        runtimes = {
            threads: cls(name, graphs, Tuning(threads, MAX_BATCH, 1))
            for threads in {1, most_threads}
        }
        batch = example(MAX_BATCH)

        def run(threads: int, windows: int) -> None:
            few = Batch(batch.x[:windows], batch.time[:windows], batch.label[:windows])
            runtimes[threads].run(few)

        return cls(name, graphs, tune(run, most_threads))

    def run(self, batch: Batch) -> Run:
        found = dict(
            zip(self._outputs, self._session(batch).run(None, self._feed(batch)), strict=True)
        )
        evidence = {
            name.removeprefix(EVIDENCE_PREFIX): values
            for name, values in found.items()
            if name.startswith(EVIDENCE_PREFIX)
        }
        return Run(found[LATENT], found[MEAN], evidence)

    def encode(self, batch: Batch) -> NDArray[np.float32]:
        (latent,) = self._encoder.run(None, self._feed(batch))
        return np.asarray(latent)

    def decode(
        self, latent: NDArray[np.float32], time: NDArray[np.float32], label: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[Any]] = {LATENT: latent, TIME: time, LABEL: label}
        names = [one.name for one in self._decoder.get_inputs()]
        (mean,) = self._decoder.run(None, {name: inputs[name] for name in names})
        return np.asarray(mean)

    def settings(self) -> Mapping[str, Any]:
        return {"version": onnxruntime.__version__, **asdict(self._tuning)}

    @cached_property
    def _encoder(self) -> onnxruntime.InferenceSession:
        """Loaded when it is needed: a part of the other graph's outputs takes as long as all."""
        return _session(self._graphs[ENCODER_GRAPH], 1)

    @cached_property
    def _decoder(self) -> onnxruntime.InferenceSession:
        """Loaded when it is needed: most servers never generate windows."""
        return _session(self._graphs[DECODER_GRAPH], 1)

    def _session(self, batch: Batch) -> onnxruntime.InferenceSession:
        return self._windows[self._tuning.threads_for(len(batch.x))]

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
