import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from rvae.config import DenseConfig, ModelConfig
from rvae.likelihood import Huber, Likelihood
from rvae.objective import negative_elbo
from rvae.vae import VAE


def density(family, scale=0.7):
    """The density of one value around 0.3."""
    likelihood = Likelihood(ModelConfig(likelihood=family, noise_scale=scale), [0])
    p = likelihood(torch.full((1, 1, 1), 0.3, dtype=torch.float64))
    return lambda x: p.log_prob(torch.full((1, 1, 1), x, dtype=torch.float64)).exp().item()


@pytest.mark.parametrize("family", ["normal", "student_t", "laplace", "huber"])
def test_a_density_integrates_to_one(family):
    total, error = integrate.quad(density(family), -400, 400, points=[-0.4, 0.3, 1.0], limit=500)
    assert total == pytest.approx(1, abs=max(1e-4, error))


@pytest.mark.parametrize(
    ("family", "reference"),
    [
        ("normal", stats.norm(0.3, 0.7)),
        ("laplace", stats.laplace(0.3, 0.7)),
        ("student_t", stats.t(5, 0.3, 0.7)),
    ],
)
def test_densities_are_those_of_scipy(family, reference):
    for x in (-3.0, 0.0, 0.3, 2.5):
        assert density(family)(x) == pytest.approx(reference.pdf(x), rel=1e-5)


def test_huber_is_the_smooth_l1_loss():
    p = Huber(torch.zeros(5), torch.ones(5))
    x = torch.tensor([-3.0, -0.5, 0.0, 0.9, 7.0])
    loss = torch.nn.functional.smooth_l1_loss(x, torch.zeros(5), reduction="none")
    torch.testing.assert_close(p.log_prob(torch.zeros(5)) - p.log_prob(x), loss)


@pytest.mark.parametrize("family", ["student_t", "laplace", "huber"])
def test_a_far_value_costs_less_than_under_a_normal(family):
    ratio = math.log(density(family)(0.3)) - math.log(density(family)(12.3))
    assert ratio < 0.2 * (math.log(density("normal")(0.3)) - math.log(density("normal")(12.3)))


def test_parameters_out_of_bounds_find_their_way_back():
    likelihood = Likelihood(ModelConfig(likelihood="student_t"), [0])
    torch.nn.init.constant_(likelihood.log_scale, -12.0)
    torch.nn.init.constant_(likelihood.freedom, 9.0)
    p = likelihood(torch.zeros(1, 1, 1))
    assert 1e-3 < p.scale.item() < 1.1e-3 and 99 < p.df.item() < 100
    (-p.log_prob(torch.full((1, 1, 1), 3.0)).sum()).backward()
    assert likelihood.log_scale.grad.item() < 0  # a step against it widens the scale
    assert likelihood.freedom.grad.item() != 0


def test_a_linear_model_reaches_the_exact_likelihood_of_probabilistic_pca():
    """At its optimum the evidence lower bound of a linear VAE is the log-likelihood itself.

    Tipping and Bishop 1999, "Probabilistic principal component analysis", eqs. 4, 6 and 7.
    """
    torch.manual_seed(0)
    steps, latent, noise = 6, 2, 0.5
    loadings = torch.linalg.qr(torch.randn(steps, latent)).Q * torch.tensor([2.0, 1.0])
    config = ModelConfig("dense", dense=DenseConfig(()), latent=latent, noise_scale=noise)
    vae = VAE(config, steps, [0])
    m = loadings.T @ loadings + noise**2 * torch.eye(
        latent
    )  # diagonal: the loadings are orthogonal
    with torch.no_grad():
        vae.decoder.output.weight.copy_(loadings)
        vae.decoder.output.bias.zero_()
        vae.posterior.mean.weight.copy_(torch.linalg.solve(m, loadings.T))
        vae.posterior.mean.bias.zero_()
        vae.posterior.log_scale.weight.zero_()
        vae.posterior.log_scale.bias.copy_(0.5 * (noise**2 / m.diagonal()).log())
        x = torch.randn(1, steps, 1) * 1.5
        many = x.expand(100_000, -1, -1)
        terms = negative_elbo(vae, many, ~many.isnan())
        bounds = terms.reconstruction + terms.kl.sum(1)
    covariance = (loadings @ loadings.T + noise**2 * torch.eye(steps)).numpy()
    exact = -stats.multivariate_normal(np.zeros(steps), covariance).logpdf(x.numpy().ravel())
    error = bounds.std().item() / math.sqrt(len(bounds))
    assert bounds.mean().item() == pytest.approx(exact, abs=4 * error)
