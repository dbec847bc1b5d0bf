import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from rvae.config import DenseConfig, ModelConfig
from rvae.networks.likelihood import SHARE_OF_SURPRISE, Categories, Huber, Likelihood, Mixed
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE


def density(family: Any, scale: float = 0.7) -> Callable[..., Any]:
    """The density of one value around 0.3."""
    likelihood = Likelihood(ModelConfig(likelihood=family, noise_scale=scale), [0])
    p = likelihood(torch.full((1, 1, 1), 0.3, dtype=torch.float64))
    return lambda x: p.log_prob(torch.full((1, 1, 1), x, dtype=torch.float64)).exp().item()


@pytest.mark.parametrize("family", ["normal", "student_t", "laplace", "huber"])
def test_a_density_integrates_to_one(
    family: Literal["normal", "student_t", "laplace", "huber"],
) -> None:
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
def test_densities_are_those_of_scipy(
    family: Literal["normal", "laplace", "student_t"], reference: Any
) -> None:
    for x in (-3.0, 0.0, 0.3, 2.5):
        assert density(family)(x) == pytest.approx(reference.pdf(x), rel=1e-5)


def test_huber_is_the_smooth_l1_loss() -> None:
    p = Huber(torch.zeros(5), torch.ones(5))
    x = torch.tensor([-3.0, -0.5, 0.0, 0.9, 7.0])
    loss = torch.nn.functional.smooth_l1_loss(x, torch.zeros(5), reduction="none")
    torch.testing.assert_close(p.log_prob(torch.zeros(5)) - p.log_prob(x), loss)


@pytest.mark.parametrize("family", ["student_t", "laplace", "huber"])
def test_a_far_value_costs_less_than_under_a_normal(
    family: Literal["student_t", "laplace", "huber"],
) -> None:
    ratio = math.log(density(family)(0.3)) - math.log(density(family)(12.3))
    assert ratio < 0.2 * (math.log(density("normal")(0.3)) - math.log(density("normal")(12.3)))


def test_parameters_out_of_bounds_find_their_way_back() -> None:
    likelihood = Likelihood(ModelConfig(likelihood="student_t"), [0])
    torch.nn.init.constant_(likelihood.log_scale, -12.0)
    torch.nn.init.constant_(likelihood.freedom, 9.0)
    p = likelihood(torch.zeros(1, 1, 1))
    assert 1e-3 < p.scale.item() < 1.1e-3 and 99 < p.df.item() < 100
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


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_the_known_categories_and_the_unknown_one_are_all_there_is(count: int) -> None:
    p = Categories(torch.randn(4, count) * 5)
    each = [p.log_prob(torch.full((4,), float(code))).exp() for code in range(count + 1)]
    torch.testing.assert_close(sum(each), torch.ones(4))


def test_an_unknown_category_is_unlikely_whatever_the_network_says() -> None:
    count = 9
    said = torch.stack([torch.zeros(count), torch.full((count,), 80.0), torch.arange(9.0) * -50])
    unknown = Categories(said).log_prob(torch.zeros(3))
    torch.testing.assert_close(unknown, torch.full((3,), math.log(SHARE_OF_SURPRISE / 10)))
    # As unlikely as what is known and was ruled out, not infinitely so.
    ruled_out = Categories(said).log_prob(torch.full((3,), 9.0))
    torch.testing.assert_close(ruled_out[2], unknown[2])


def test_the_mean_of_categories_is_their_probabilities() -> None:
    p = Categories(torch.randn(5, 3))
    codes = torch.arange(1.0, 4)
    by_code = torch.stack([p.log_prob(code.expand(5)).exp() for code in codes], dim=1)
    torch.testing.assert_close(p.mean, by_code)
    likely = Categories(torch.tensor([0.0, 0.0, 60.0])).mean
    torch.testing.assert_close(likely, torch.tensor([0.0, 0.0, 1.0]), rtol=0, atol=2e-4)


def test_channels_keep_their_order() -> None:
    categories = [2, 0, 0, 3, 0]
    likelihood = Likelihood(ModelConfig(likelihood="student_t"), categories)
    torch.nn.init.normal_(likelihood.log_scale)
    torch.nn.init.normal_(likelihood.freedom)
    assert likelihood.outputs == 8
    said = torch.randn(4, 6, 8)
    x = torch.stack(
        [torch.randint(0, n + 1, (4, 6)) if n else torch.randn(4, 6) for n in categories]
    )
    x = x.permute(1, 2, 0)  # (B, T, C)
    p = likelihood(said)
    assert isinstance(p, Mixed)
    nll = p.log_prob(x)
    numbers = Likelihood(ModelConfig(likelihood="student_t"), [0, 0, 0])
    numbers.load_state_dict(likelihood.state_dict())
    at = [1, 2, 4]
    alone = numbers(said[..., [2, 3, 7]])
    torch.testing.assert_close(nll[..., at], alone.log_prob(x[..., at]))
    torch.testing.assert_close(nll[..., 0], Categories(said[..., :2]).log_prob(x[..., 0]))
    torch.testing.assert_close(nll[..., 3], Categories(said[..., 4:7]).log_prob(x[..., 3]))
    torch.testing.assert_close(p.mean[..., [2, 3, 7]], alone.mean)
    torch.testing.assert_close(p.mean[..., :2], Categories(said[..., :2]).mean)
    torch.testing.assert_close(p.mean[..., 4:7], Categories(said[..., 4:7]).mean)


@pytest.mark.parametrize("family", ["normal", "student_t", "bernoulli"])
def test_categories_alone_need_no_scale(
    family: Literal["normal", "student_t", "bernoulli"],
) -> None:
    likelihood = Likelihood(ModelConfig(likelihood=family), [3, 1])
    assert not list(likelihood.parameters())
    p = likelihood(torch.randn(2, 5, 4))
    assert p.log_prob(torch.ones(2, 5, 2)).shape == (2, 5, 2)
    assert p.mean.shape == (2, 5, 4)


def test_bernoulli_is_binary_cross_entropy() -> None:
    likelihood = Likelihood(ModelConfig(likelihood="bernoulli"), [0, 0])
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
    likelihood = Likelihood(ModelConfig(likelihood=family), [0, 3])
    said = torch.full((2, 1, 4), extreme)
    said[..., 1] = -extreme
    said.requires_grad_()
    for number, category in ((0.0, 0.0), (1.0, 1.0), (1.0, 3.0)):
        nll = -likelihood(said).log_prob(torch.tensor([number, category]).expand(2, 1, 2))
        assert nll.isfinite().all()
        (gradient,) = torch.autograd.grad(nll.sum(), said)
        assert gradient.isfinite().all()


def test_learning_finds_the_share_of_each_category() -> None:
    codes = torch.tensor([1.0] * 70 + [2.0] * 25 + [3.0] * 5)
    said = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([said], 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (-Categories(said.expand(100, 3)).log_prob(codes).mean()).backward()
        optimizer.step()
    shares = Categories(said.detach()).mean
    torch.testing.assert_close(shares, torch.tensor([0.70, 0.25, 0.05]), rtol=0, atol=1e-3)
