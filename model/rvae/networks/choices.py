"""Checks of the choices of a model, before any data is read."""

from rvae.config import ModelConfig
from rvae.errors import require
from rvae.networks.architectures import architecture_options
from rvae.networks.likelihoods import LIKELIHOODS
from rvae.networks.posterior import Posterior
from rvae.networks.posteriors import POSTERIORS

__all__ = ["require_valid_model", "takes_unit_interval"]


def takes_unit_interval(model: ModelConfig) -> bool:
    """Whether numeric channels of a model must lie in [0, 1], and are not scaled."""
    return LIKELIHOODS.lookup(model.likelihood).unit_interval


def require_valid_model(model: ModelConfig) -> None:
    """Raise a `FieldError` if a choice is unknown, or not valid in combination with another."""
    architecture_options(model)
    posterior = POSTERIORS.lookup(model.posterior)
    if takes_unit_interval(model):
        likelihood = f"the likelihood {model.likelihood!r}, whose values stay in [0, 1]"
        for field, free in (
            ("noise_scale", model.noise_scale == "learned"),
            ("normalization", model.normalization == "none"),
            ("linear", not model.linear),
        ):
            require(free, f"model.{field}", f"has no meaning for {likelihood}")
    require(
        not model.linear or posterior.normal_base is not Posterior.normal_base,
        "model.linear",
        f"needs a posterior with a normal base, which {model.posterior!r} has not",
    )
