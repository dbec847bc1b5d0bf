"""Graphs that OpenVINO runs."""

from collections.abc import Iterable, Mapping, Sequence
from threading import local
from typing import Any

import openvino
from numpy.typing import NDArray

from rvae.inference.runtimes.graph_runtime import Session
from rvae.inference.runtimes.graphs import EVIDENCE_PREFIX, LABEL, LATENT, MEAN, TIME, X

__all__ = ["OpenVinoSession"]


class OpenVinoSession(Session):
    """A graph in OpenVINO, in single precision.

    Args:
        graph: The graph in ONNX.
        threads: Threads of a run.
    """

    def __init__(self, graph: bytes, threads: int) -> None:
        core = openvino.Core()
        model = core.read_model(graph, b"")
        # By default it computes in bfloat16 where a processor has that.
        self._compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads,
            },
        )
        self.inputs = _names(self._compiled.inputs)
        self.outputs = _names(self._compiled.outputs)
        # A request is for one thread at a time.
        self._requests = local()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        request = getattr(self._requests, "request", None)
        if request is None:
            request = self._requests.request = self._compiled.create_infer_request()
        # Copies: the next run of the request writes to the same memory.
        found = request.infer(dict(inputs))
        return [found[i].copy() for i in range(len(self.outputs))]


def _names(ports: Iterable[Any]) -> list[str]:
    """Names of the graph for inputs or outputs.

    A tensor also has the names of those that were found to be the same, inner ones among them.
    """
    names: list[str] = []
    for port in ports:
        names.append(
            next(
                name
                for name in sorted(port.names)
                if (name in (X, TIME, LABEL, LATENT, MEAN) or name.startswith(EVIDENCE_PREFIX))
                and name not in names
            )
        )
    return names
