"""The runtime of a model on this machine."""

from functools import partial
from pathlib import Path

import numpy as np

from rvae.data.window_dataset import Batch
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import ModelSpec
from rvae.inference.compute import inference_threads
from rvae.inference.runtimes.graph_runtime import GraphRuntime, LoadSession, measured_tuning
from rvae.inference.runtimes.kept_tuning import kept_tuning
from rvae.inference.runtimes.runtime import Runtime
from rvae.inference.runtimes.tuning import Tuning
from rvae.scoring.evidence import EvidenceScorer
from rvae.scoring.evidence_scorers import EVIDENCE_SCORERS

__all__ = ["graph_runtime", "load_runtime", "torch_runtime"]

# Fast on most machines, where nothing is measured.
WINDOWS_PER_RUN = 32


def load_runtime(
    artifact: Artifact,
    device: str,
    threads: int | None = None,
    tuned: bool = False,
    kept: Path | None = None,
) -> tuple[Runtime, EvidenceScorer]:
    """The runtime of a model, and the scorer of what it measures.

    Args:
        artifact: The model.
        device: Torch's name of the device. Graphs are for the CPU: on another one torch runs the
            network, unless the calibration is that of the graphs' own scores.
        threads: Threads that may be used; as many as `inference_threads` says if left out.
        tuned: Whether to measure what is fastest, which takes a second, instead of assuming it.
        kept: Folder that keeps what is measured, see `kept_tuning`.

    Raises:
        FieldError: If the runtime of the model is not installed, or the model is damaged.
    """
    threads = threads or inference_threads()
    moved = artifact.card.runtime is not None and artifact.card.runtime.parity.recalibrated
    if artifact.graphs and (device == "cpu" or moved):
        return graph_runtime(artifact, threads, tuned, kept)
    return torch_runtime(artifact, device, threads)


def torch_runtime(
    artifact: Artifact, device: str = "cpu", threads: int = 1
) -> tuple[Runtime, EvidenceScorer]:
    """The network of a model, run by torch, and its scorer.

    Args:
        artifact: The model.
        device: Torch's name of the device.
        threads: Threads that may be used on a CPU.
    """
    # Here alone: what runs graphs needs no torch.
    import torch

    from rvae.inference.building import build_scorer
    from rvae.inference.runtimes.torch_runtime import TorchRuntime

    target = torch.device(device)
    network = artifact.build().to(target)
    scorer = build_scorer(artifact, network, target)
    return TorchRuntime(network, scorer, target, threads), scorer


def graph_runtime(
    artifact: Artifact, threads: int, tuned: bool = False, kept: Path | None = None
) -> tuple[Runtime, EvidenceScorer]:
    """The graphs of a model, run by the runtime that its card names, and their scorer."""
    card = artifact.card
    assert card.runtime is not None
    name = card.runtime.name
    load = _loader(name)
    scorer = EVIDENCE_SCORERS[card.scoring.score](card.scoring, artifact.scorer)
    tuning = Tuning(1, WINDOWS_PER_RUN, threads)
    if tuned:
        example = partial(_noise, card)
        measure = partial(measured_tuning, load, artifact.graphs, threads, example)
        tuning = (
            measure()
            if kept is None
            else kept_tuning(kept, artifact.checksum, name, threads, measure)
        )
    return GraphRuntime(name, load, artifact.graphs, tuning), scorer


def _loader(name: str) -> LoadSession:
    """What loads the graphs of a runtime: the only place where its package is imported."""
    try:
        match name:
            case "openvino":
                from rvae.inference.runtimes.openvino_session import OpenVinoSession

                return OpenVinoSession
            case _:
                from rvae.inference.runtimes.onnx_session import OnnxSession

                return OnnxSession
    except ModuleNotFoundError as error:
        raise FieldError("runtime", f"{name!r} needs the package {error.name}") from None


def _noise(spec: ModelSpec, windows: int) -> Batch:
    """Windows that cost what any others do."""
    random = np.random.default_rng(0)
    x = random.standard_normal((windows, spec.window, len(spec.channels)), np.float32)
    for channel, categories in enumerate(spec.scaler.categories):
        if categories:
            x[..., channel] = 1
    time = np.zeros((windows, spec.window, 2 * len(spec.model.time.calendar)), np.float32)
    return Batch(x, time, np.zeros(windows, np.int64))
