"""Choices of a model that do not fit together are refused before any data is read."""

from typing import Any

import pytest

from rvae.config import DenseConfig, ModelConfig
from rvae.errors import FieldError
from rvae.networks.choices import require_valid_model, takes_unit_interval
from rvae.networks.posterior import LatentDistribution, Posterior
from rvae.networks.vae import VAE


class Baseless(Posterior):
    """A posterior that no linear path can start from."""

    @classmethod
    def from_config(cls, model: Any, features: Any) -> Any:
        return cls()

    def forward(self, features: Any) -> LatentDistribution:
        return LatentDistribution()


@pytest.mark.parametrize(
    ("field", "model"),
    [
        ("model.linear", ModelConfig(likelihood="bernoulli", linear=True)),
        ("model.normalization", ModelConfig(likelihood="bernoulli", normalization="instance")),
        ("model.noise_scale", ModelConfig(likelihood="bernoulli", noise_scale=1.0)),
        ("model.linear", ModelConfig(linear=True, posterior=f"{__name__}:Baseless")),
        ("model.architecture", ModelConfig("transformer")),
        ("model.architecture", ModelConfig("rvae.networks.dense:DenseEncoder")),
        ("model.likelihood", ModelConfig(likelihood="Normal")),
        ("model.likelihood", ModelConfig(likelihood="torch.distributions:Normal")),
        ("model.posterior", ModelConfig(posterior="flow")),
        ("model.options", ModelConfig("dense", options={"layers": [3]})),
    ],
)
def test_nonsense_names_its_field(field: str, model: ModelConfig) -> None:
    for check in (require_valid_model, lambda model: VAE(model, 8, [0])):
        with pytest.raises(FieldError) as caught:
            check(model)
        assert caught.value.field == field
        assert "\n" not in str(caught.value)


def test_what_fits_together_is_accepted() -> None:
    require_valid_model(ModelConfig())
    require_valid_model(ModelConfig("dense", dense=DenseConfig(), likelihood="bernoulli"))
    require_valid_model(ModelConfig("rvae.networks.dense:DENSE", linear=True, posterior="iaf"))


def test_a_likelihood_knows_whether_values_are_in_the_unit_interval() -> None:
    assert takes_unit_interval(ModelConfig(likelihood="bernoulli"))
    assert not takes_unit_interval(ModelConfig(likelihood="student_t"))
