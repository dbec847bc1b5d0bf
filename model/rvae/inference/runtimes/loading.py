"""The runtime of a model on this machine."""

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.runtimes.runtime import Runtime
from rvae.scoring.evidence import EvidenceScorer
from rvae.scoring.evidence_scorers import EVIDENCE_SCORERS

__all__ = ["graph_runtime", "load_runtime", "torch_runtime"]


def load_runtime(artifact: Artifact, device: str) -> tuple[Runtime, EvidenceScorer]:
    """The runtime of a model, and the scorer of what it measures.

    Args:
        artifact: The model.
        device: Torch's name of the device. Graphs are for the CPU: on another one torch runs the
            network.

    Raises:
        FieldError: If the runtime of the model is not installed, or the model is damaged.
    """
    if artifact.graphs and device == "cpu":
        return graph_runtime(artifact)
    return torch_runtime(artifact, device)


def torch_runtime(artifact: Artifact, device: str = "cpu") -> tuple[Runtime, EvidenceScorer]:
    """The network of a model, run by torch, and its scorer."""
    import torch

    from rvae.inference.building import build_scorer
    from rvae.inference.runtimes.torch_runtime import TorchRuntime

    target = torch.device(device)
    network = artifact.build().to(target)
    scorer = build_scorer(artifact, network, target)
    return TorchRuntime(network, scorer, target), scorer


def graph_runtime(artifact: Artifact) -> tuple[Runtime, EvidenceScorer]:
    """The graphs of a model, run by the runtime that its card names, and their scorer."""
    card = artifact.card
    assert card.runtime is not None
    try:
        from rvae.inference.runtimes.onnx_runtime import OnnxRuntime
    except ModuleNotFoundError as error:
        raise FieldError(
            "runtime", f"the model runs by {card.runtime.name!r}: pip install {error.name}"
        ) from None
    scorer = EVIDENCE_SCORERS[card.scoring.score](card.scoring, artifact.scorer)
    return OnnxRuntime(card.runtime.name, artifact.graphs, 1, 32), scorer
