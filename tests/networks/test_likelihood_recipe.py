"""A likelihood from outside the package: injected by its dotted name, trained, and loaded."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Normal
from torch.distributions.continuous_bernoulli import ContinuousBernoulli

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.networks.choices import require_valid_model, takes_unit_interval
from rvae.networks.likelihood import Likelihood, ScaledLikelihood
from rvae.networks.likelihoods import LIKELIHOODS, make_likelihood
from rvae.networks.posteriors import POSTERIORS
from rvae.networks.vae import VAE
from rvae.training.fit import fit
from tests.support.waves import waves

STEPS = 16


class Logistic(Distribution):
    """The logistic distribution."""

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.loc

    def log_prob(self, value: Tensor) -> Tensor:
        apart = (value - self.loc) / self.scale
        return -apart - 2 * torch.nn.functional.softplus(-apart) - self.scale.log()


class LogisticLikelihood(ScaledLikelihood):
    """Logistic noise, with a scale per channel."""

    def numeric(self, parameters: Tensor) -> Distribution:
        return Logistic(parameters, self.scale.expand_as(parameters))


class ContinuousBernoulliLikelihood(Likelihood):
    """Values in [0, 1] (Loaiza-Ganem and Cunningham 2019, "The continuous Bernoulli")."""

    unit_interval = True

    def numeric(self, parameters: Tensor) -> Distribution:
        return ContinuousBernoulli(logits=parameters, validate_args=False)


def small(likelihood: str) -> ModelConfig:
    return ModelConfig(
        "dense", dense=DenseConfig((16,)), latent=3, likelihood=f"{__name__}:{likelihood}"
    )


@pytest.mark.parametrize("name", ["LogisticLikelihood", "ContinuousBernoulliLikelihood"])
def test_it_is_trained_archived_and_loaded(tmp_path: Path, name: str) -> None:
    values = waves(120, STEPS)
    model = small(name)
    if takes_unit_interval(model):
        values = (values - values.min()) / np.ptp(values)
    np.save(tmp_path / "waves.npy", values)
    training = TrainingConfig(epochs=30, batch_size=10, accelerator="cpu", quantile=0.9)
    plan = TrainingPlan(DataConfig("waves.npy", window=STEPS), model, training=training)
    dataset = read(tmp_path / "waves.npy", ReaderConfig())
    result = fit(dataset, plan, tmp_path / "run", progress=False)
    assert result.card.training["explained_variance"] > 0.3
    assert (result.card.scaler.scale == (1.0,)) == takes_unit_interval(model)
    low, high = (float(bound[0]) for bound in result.card.scaler.bounds)
    assert ((low, high) == (0, 1)) == takes_unit_interval(model)
    Artifact.load(result.checkpoint).save(tmp_path / "folder")
    likelihood = Artifact.load(tmp_path / "folder").build().likelihood
    assert type(likelihood).__name__ == name


def test_what_has_no_meaning_in_the_unit_interval_is_refused() -> None:
    model = small("ContinuousBernoulliLikelihood")
    with pytest.raises(FieldError, match="has no meaning for the likelihood"):
        require_valid_model(
            ModelConfig("dense", likelihood=model.likelihood, normalization="instance")
        )


def test_a_scale_of_the_users_own_is_kept() -> None:
    model = ModelConfig(likelihood=f"{__name__}:LogisticLikelihood", noise_scale=0.25)
    likelihood = make_likelihood(model, [0, 3, 0])
    assert isinstance(likelihood, LogisticLikelihood)
    torch.testing.assert_close(likelihood.scale, torch.full((2,), 0.25))
    assert not list(likelihood.parameters())


def test_an_unknown_family_is_refused_and_not_taken_for_normal() -> None:
    with pytest.raises(FieldError, match=r"model\.likelihood: must be one of normal, student_t"):
        VAE(ModelConfig(likelihood="gaussian"), STEPS, [0])
    assert isinstance(make_likelihood(ModelConfig(), [0])(torch.zeros(1, 1, 1)), Normal)


def test_the_help_lists_every_name() -> None:
    for name in (*LIKELIHOODS.names, *POSTERIORS.names):
        assert f'"{name}"' in (ModelConfig.__doc__ or "")
