from rvae.config import FlowConfig, ModelConfig
from rvae.networks.flow import FlowPosterior
from rvae.networks.posterior import NormalPosterior
from rvae.networks.posteriors import make_posterior

H = 6


def test_the_configuration_names_the_posterior() -> None:
    assert isinstance(make_posterior(ModelConfig(), H), NormalPosterior)
    made = make_posterior(ModelConfig(posterior="iaf", latent=5, flow=FlowConfig(3, 7)), H)
    assert isinstance(made, FlowPosterior)
    assert len(made.steps) == 3
    assert {step[0].out_features for step in made.steps} == {7}
