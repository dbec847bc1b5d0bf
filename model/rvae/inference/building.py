"""Networks and scorers of saved models, as modules of torch."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import ModelSpec
from rvae.networks.vae import VAE
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import restore_scorer

__all__ = ["build_network", "build_scorer", "network_of"]


def build_network(spec: ModelSpec, weights: Mapping[str, Tensor | NDArray[Any]]) -> VAE:
    """The network of a specification with these weights, ready for inference.

    Raises:
        FieldError: If the weights are those of another network.
    """
    # The weights that it begins with are drawn, and the caller's random numbers are not for that.
    with torch.random.fork_rng(devices=()):
        network = network_of(spec)
    try:
        network.load_state_dict({name: torch.as_tensor(w) for name, w in weights.items()})
    except RuntimeError as error:
        raise FieldError("checkpoint", "the weights do not fit the card") from error
    return network.eval().requires_grad_(False)


def network_of(spec: ModelSpec) -> VAE:
    """The untrained network of a specification."""
    return VAE(spec.model, spec.window, spec.scaler.categories, len(spec.vocabulary.classes))


@torch.inference_mode()
def build_scorer(artifact: Artifact, network: VAE, device: torch.device) -> Scorer:
    """The scorer of the built network, on the same device.

    Raises:
        FieldError: If the state is that of another scorer.
    """
    state = {name: torch.tensor(array, device=device) for name, array in artifact.scorer.items()}
    return restore_scorer(network, artifact.card.scaler, artifact.card.scoring, state)
