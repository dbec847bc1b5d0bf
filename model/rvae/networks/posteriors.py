"""The posteriors that `model.posterior` names.

A new one is a subclass of `Posterior` in a file of its own, and a line here.
"""

from rvae.config import ModelConfig
from rvae.config.registry import Registry
from rvae.networks.flow import FlowPosterior
from rvae.networks.posterior import NormalPosterior, Posterior

__all__ = ["POSTERIORS", "make_posterior"]

POSTERIORS: Registry[type[Posterior]] = Registry(
    "model.posterior",
    Posterior,
    {
        "normal": NormalPosterior,
        "iaf": FlowPosterior,
    },
)


def make_posterior(model: ModelConfig, features: int) -> Posterior:
    """The posterior that the configuration names, untrained, for H = `features` features."""
    return POSTERIORS.lookup(model.posterior).from_config(model, features)
