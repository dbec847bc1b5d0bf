import math
from typing import Any, Literal, cast

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from rvae.config import DenseConfig, ModelConfig, ObjectiveConfig, RecurrentConfig
from rvae.networks.objective import (
    Terms,
    kl_warm_up,
    kl_weight,
    negative_elbo,
    negative_log_likelihood,
)
from rvae.networks.vae import VAE

# The terms of the loss do not look at it.
ANY_LATENT = cast(Any, None)

# The terms of the loss do not look at it.
ANY_LATENT = cast(Any, None)


@pytest.fixture
def vae() -> VAE:
    torch.manual_seed(0)
    return VAE(
        ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=3), window=5, categories=[0, 0]
    )


def test_kl_agrees_with_monte_carlo(vae: VAE) -> None:
    x = torch.randn(1, 5, 2) * 3
    kl = negative_elbo(vae, x, ~x.isnan()).kl.sum().item()
    q: Any = vae.encode(x, ~x.isnan()).posterior
    z = q.sample((200_000,))
    prior = Normal(torch.zeros(3), torch.ones(3))
    sampled = (q.log_prob(z) - prior.log_prob(z)).sum(-1)
    error = sampled.std().item() / math.sqrt(len(sampled))
    assert abs(sampled.mean().item() - kl) < 4 * error


def test_reconstruction_sums_over_steps_and_channels(vae: VAE) -> None:
    x = torch.randn(4, 5, 2)
    z = torch.randn(4, 3)
    p = vae.decode(z)
    by_hand = 0.5 * ((x - p.mean) / p.stddev) ** 2 + p.stddev.log() + 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(negative_log_likelihood(p, x, ~x.isnan()), by_hand)
    terms = negative_elbo(vae, x, ~x.isnan())
    assert terms.reconstruction.shape == (4,)
    assert terms.kl.shape == (4, 3)


def test_the_loss_is_a_mean_over_the_batch_of_sums() -> None:
    terms = Terms(torch.tensor([1.0, 3.0]), torch.tensor([[1.0, 0.0], [2.0, 0.5]]), ANY_LATENT)
    assert terms.loss(1.0).item() == pytest.approx(2 + 1.5 + 0.25)
    assert terms.loss(0.5).item() == pytest.approx(2 + 0.5 * 1.75)
    assert terms.loss(1.0, free_bits=0.5).item() == pytest.approx(2 + 1.5 + 0.5)


def test_without_free_bits_the_loss_is_the_bound_itself() -> None:
    """Terms that a flow estimates may be negative, and must not be lost then."""
    terms = Terms(torch.tensor([1.0, 3.0]), torch.tensor([[2.0, -1.0], [1.0, 0.5]]), ANY_LATENT)
    assert terms.loss(1.0).item() == pytest.approx(2 + 1.5 - 0.25)
    assert terms.loss(1.0, free_bits=0.5).item() == pytest.approx(2 + 1.5 + 0.5)


def test_the_loss_does_not_depend_on_how_a_batch_is_grouped(vae: VAE) -> None:
    x = torch.randn(6, 5, 2)
    q: Any = vae.encode(x, ~x.isnan()).posterior
    whole = negative_log_likelihood(vae.decode(q.mean), x, ~x.isnan()).sum((1, 2)).mean()
    halves = [
        negative_log_likelihood(vae.decode(q.mean[part]), x[part], ~x[part].isnan())
        .sum((1, 2))
        .mean()
        for part in (slice(0, 3), slice(3, 6))
    ]
    torch.testing.assert_close(whole, sum(halves) / 2)


def test_missing_values_add_nothing_and_let_gradients_through(vae: VAE) -> None:
    x = torch.randn(3, 5, 2)
    gaps = x.clone()
    gaps[0, 1, 0] = gaps[1, :, 1] = torch.nan
    mask = ~gaps.isnan()
    terms = negative_elbo(vae, gaps, mask)
    nll = negative_log_likelihood(vae.decode(torch.zeros(3, 3)), gaps, mask)
    assert (nll[~mask] == 0).all()
    full = negative_log_likelihood(vae.decode(torch.zeros(3, 3)), x, ~x.isnan())
    torch.testing.assert_close(nll[mask], full[mask])
    terms.loss(1.0).backward()
    assert all(p.grad.isfinite().all() for p in vae.parameters())


def test_beta_rises_and_stays() -> None:
    config = ObjectiveConfig(beta=2.0, warmup=0.5)
    assert [kl_weight(config, at) for at in (0, 0.25, 0.5, 1)] == [0, 1, 2, 2]
    assert kl_weight(ObjectiveConfig(beta=2.0, warmup=0.0), 0) == 2


def test_beta_rises_in_cycles() -> None:
    config = ObjectiveConfig(annealing="cyclical", cycles=2, warmup=0.5)
    assert [kl_weight(config, at) for at in (0, 0.125, 0.25, 0.49, 0.5, 0.625)] == [
        0, 0.5, 1, 1, 0, 0.5,
    ]  # fmt: skip
    assert kl_weight(config, 1) == 1


def test_sampling_noise_leaves_the_divergence_of_a_flow_alone() -> None:
    """A posterior must not gain by widening where its noise is not drawn."""
    torch.manual_seed(0)
    model = ModelConfig("dense", dense=DenseConfig((4,)), latent=3, posterior="iaf")
    bent = VAE(model, window=5, categories=[0])
    x = torch.randn(1, 5, 1).expand(20_000, -1, -1)

    def kl(noise: float) -> torch.Tensor:
        with torch.no_grad():
            return negative_elbo(bent, x, ~x.isnan(), sampling_noise=noise).kl.sum(1)

    error = kl(1.0).std().item() / math.sqrt(len(x))
    for noise in (0.0, 0.5):
        assert kl(noise).mean().item() == pytest.approx(kl(1.0).mean().item(), abs=6 * error)


def test_sampling_noise_scales_the_distance_from_the_mean(vae: VAE) -> None:
    x = torch.randn(3, 5, 2)
    exact = negative_log_likelihood(
        vae.decode(cast(Any, vae.encode(x, ~x.isnan()).posterior).mean), x, ~x.isnan()
    ).sum((1, 2))
    still = negative_elbo(vae, x, ~x.isnan(), sampling_noise=0.0)
    torch.testing.assert_close(still.reconstruction, exact)
    noisy = negative_elbo(vae, x, ~x.isnan(), sampling_noise=30.0)
    assert (noisy.reconstruction > exact).all()
    torch.testing.assert_close(noisy.kl, still.kl)


@pytest.mark.parametrize("annealing", ["linear", "cyclical"])
def test_the_warm_up_ends_where_the_weight_rises_no_more(
    annealing: Literal["linear", "cyclical"],
) -> None:
    """In cycles it rises again and again, and a loss that waits for it is not without progress."""
    config = ObjectiveConfig(beta=2.0, annealing=annealing, warmup=0.4, cycles=3)
    end = kl_warm_up(config)
    after = np.linspace(end + 1e-6, 1, 50)
    assert all(kl_weight(config, progress) == 2 for progress in after)
    assert kl_weight(config, end - 0.01) < 2
