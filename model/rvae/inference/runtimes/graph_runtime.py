"""Graphs of a model, run on the CPU."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any, Protocol

import numpy as np
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

__all__ = ["GraphRuntime", "LoadSession", "Session", "measured_tuning"]


class Session(Protocol):
    """A graph that was loaded; it may be run by several threads at a time.

    Attributes:
        inputs: Names of the inputs.
        outputs: Names of the outputs.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]

    @abstractmethod
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """The outputs, in their order."""


LoadSession = Callable[[bytes, int], Session]
"""Loads a graph in ONNX, to be run by so many threads."""


class GraphRuntime(Runtime):
    """Runs the graphs of a model.

    Args:
        name: Name of the runtime.
        load: Loads a graph.
        graphs: The graphs, by file.
        tuning: Threads and batches.
    """

    def __init__(
        self, name: str, load: LoadSession, graphs: Mapping[str, bytes], tuning: Tuning
    ) -> None:
        self.name, self.windows_per_run = name, tuning.windows_per_run
        self.concurrency = tuning.concurrency
        self._load, self._graphs, self._tuning = load, graphs, tuning
        # By threads: a session cannot change their number.
        self._windows = {
            threads: load(graphs[WINDOW_GRAPH], threads) for threads in {tuning.threads, 1}
        }

    def run(self, batch: Batch) -> Run:
        session = self._windows[self._tuning.threads_for(len(batch.x))]
        found = dict(zip(session.outputs, session.run(_feed(session, batch)), strict=True))
        latent, mean = found.pop(LATENT), found.pop(MEAN)
        evidence = {name.removeprefix(EVIDENCE_PREFIX): one for name, one in found.items()}
        return Run(latent, mean, evidence)

    def encode(self, batch: Batch) -> NDArray[np.float32]:
        (latent,) = self._encoder.run(_feed(self._encoder, batch))
        return latent

    def decode(
        self, latent: NDArray[np.float32], time: NDArray[np.float32], label: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[Any]] = {LATENT: latent, TIME: time, LABEL: label}
        (mean,) = self._decoder.run({name: inputs[name] for name in self._decoder.inputs})
        return mean

    def settings(self) -> Mapping[str, Any]:
        return asdict(self._tuning)

    # Loaded when they are needed: most servers neither encode nor decode alone. A part of the
    # outputs of the graph of windows takes as long as all of them.

    @cached_property
    def _encoder(self) -> Session:
        return self._load(self._graphs[ENCODER_GRAPH], 1)

    @cached_property
    def _decoder(self) -> Session:
        return self._load(self._graphs[DECODER_GRAPH], 1)


def measured_tuning(
    load: LoadSession,
    graphs: Mapping[str, bytes],
    most_threads: int,
    example: Callable[[int], Batch],
) -> Tuning:
    """How graphs run fastest on this machine.

    The sessions have taken memory for the largest runs: they end here, and those that follow take
    what they need.

    Args:
        load: Loads a graph.
        graphs: The graphs, by file.
        most_threads: Threads that may be used.
        example: Makes a batch of so many windows.
    """
    graph, batch = graphs[WINDOW_GRAPH], example(MAX_BATCH)
    sessions = {threads: load(graph, threads) for threads in {1, most_threads}}

    def run(threads: int, windows: int) -> None:
        few = Batch(batch.x[:windows], batch.time[:windows], batch.label[:windows])
        sessions[threads].run(_feed(sessions[threads], few))

    return tune(run, most_threads)


def _feed(session: Session, batch: Batch) -> dict[str, NDArray[Any]]:
    inputs: dict[str, NDArray[Any]] = {X: batch.x, TIME: batch.time, LABEL: batch.label}
    return {name: inputs[name] for name in session.inputs}
