"""The scores, by name.

A score is one class that derives from `rvae.scoring.scorer.Scorer`, in a file of its own, and one
line here. One from outside the package is chosen by its dotted name, `package.module:Class`.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from rvae.config import ScoringConfig
from rvae.config.registry import Registry
from rvae.data.scaler import Scaler
from rvae.errors import FieldError
from rvae.networks.vae import VAE
from rvae.scoring.distance_score import DistanceScorer
from rvae.scoring.excess_score import ExcessScorer
from rvae.scoring.likelihood_score import LikelihoodScorer
from rvae.scoring.scorer import Scorer

__all__ = ["SCORERS", "restore_scorer"]

SCORERS: Registry[type[Scorer]] = Registry(
    "scoring.score",
    Scorer,
    {
        "likelihood": LikelihoodScorer,
        "excess": ExcessScorer,
        "distance": DistanceScorer,
    },
)


def restore_scorer(
    network: VAE, scaler: Scaler, scoring: ScoringConfig, state: Mapping[str, Tensor]
) -> Scorer:
    """Restore the scorer that a model was saved with.

    Raises:
        FieldError: If the score is unknown, or the state is that of another scorer.
    """
    scorer: Any = SCORERS.lookup(scoring.score)
    try:
        restored: Scorer = scorer.restore(network, scaler, scoring, state)
    except (KeyError, RuntimeError, ValueError) as error:
        raise FieldError(
            "checkpoint", f"the state of the score {scoring.score!r} does not fit the card"
        ) from error
    return restored
