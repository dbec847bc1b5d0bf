import math
from typing import Literal

import numpy as np
import pytest
import torch
from scipy import stats

from rvae.config import DenseConfig, ModelConfig
from rvae.networks.likelihoods import StudentTLikelihood, make_likelihood
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE


def test_parameters_out_of_bounds_find_their_way_back() -> None:
    likelihood = make_likelihood(ModelConfig(likelihood="student_t"), [0])
    assert isinstance(likelihood, StudentTLikelihood)
    torch.nn.init.constant_(likelihood.log_scale, -12.0)
    torch.nn.init.constant_(likelihood.freedom, 9.0)
    p = likelihood(torch.zeros(1, 1, 1))
    assert 1e-3 < p.scale.item() < 1.1e-3 and 99 < p.freedom.item() < 100
    (-p.log_prob(torch.full((1, 1, 1), 3.0)).sum()).backward()
    assert likelihood.log_scale.grad.item() < 0  # a step against it widens the scale
    assert likelihood.freedom.grad.item() != 0


def test_a_linear_model_reaches_the_exact_likelihood_of_probabilistic_pca() -> None:
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


@pytest.mark.parametrize("family", ["normal", "student_t", "bernoulli"])
def test_categories_alone_need_no_scale(
    family: Literal["normal", "student_t", "bernoulli"],
) -> None:
    likelihood = make_likelihood(ModelConfig(likelihood=family), [3, 1])
    assert not list(likelihood.parameters())
    p = likelihood(torch.randn(2, 5, 4))
    assert p.log_prob(torch.ones(2, 5, 2)).shape == (2, 5, 2)
    assert p.mean.shape == (2, 5, 4)


def test_bernoulli_is_binary_cross_entropy() -> None:
    likelihood = make_likelihood(ModelConfig(likelihood="bernoulli"), [0, 0])
    assert not list(likelihood.parameters())
    said, x = torch.randn(3, 4, 2) * 10, torch.rand(3, 4, 2)
    p = likelihood(said)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(said, x, reduction="none")
    torch.testing.assert_close(-p.log_prob(x), expected)
    torch.testing.assert_close(p.mean, said.sigmoid())


@pytest.mark.parametrize("family", ["normal", "student_t", "laplace", "huber", "bernoulli"])
@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_extremes_have_finite_gradients(
    family: Literal["normal", "student_t", "laplace", "huber", "bernoulli"], extreme: float
) -> None:
    likelihood = make_likelihood(ModelConfig(likelihood=family), [0, 3])
    said = torch.full((2, 1, 4), extreme)
    said[..., 1] = -extreme
    said.requires_grad_()
    for number, category in ((0.0, 0.0), (1.0, 1.0), (1.0, 3.0)):
        nll = -likelihood(said).log_prob(torch.tensor([number, category]).expand(2, 1, 2))
        assert nll.isfinite().all()
        (gradient,) = torch.autograd.grad(nll.sum(), said)
        assert gradient.isfinite().all()
