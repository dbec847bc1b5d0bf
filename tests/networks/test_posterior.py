from typing import Literal

import pytest
import torch

from rvae.config import ModelConfig
from rvae.networks.posterior import NormalPosterior
from rvae.networks.posteriors import make_posterior

H = 6


def features(count: int = 1) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(count, H, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["normal", "iaf"])
def test_the_centre_is_where_no_noise_leads(kind: Literal["normal", "iaf"]) -> None:
    torch.manual_seed(0)
    q = make_posterior(ModelConfig(posterior=kind, latent=3), H).double()(features(5))
    assert torch.equal(q.centre, q.centre)
    torch.testing.assert_close(q.rsample_with_kl(0.0)[0], q.centre)
    assert not torch.allclose(q.rsample_with_kl(1.0)[0], q.rsample_with_kl(1.0)[0])


def test_the_normal_posteriors_kl_is_exact() -> None:
    torch.manual_seed(0)
    q = NormalPosterior(H, 3).double()(features(4))
    by_hand = 0.5 * (q.stddev**2 + q.mean**2 - 1) - q.stddev.log()
    for noise in (0.0, 1.0):
        torch.testing.assert_close(q.rsample_with_kl(noise)[1], by_hand)


@pytest.mark.parametrize("kind", ["normal", "iaf"])
def test_features_that_run_wild_leave_everything_finite(kind: Literal["normal", "iaf"]) -> None:
    torch.manual_seed(0)
    made = make_posterior(ModelConfig(posterior=kind, latent=3), H)
    z, kl = made(torch.full((2, H), 1e6)).rsample_with_kl(1.0)
    (z.sum() + kl.sum()).backward()
    assert kl.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in made.parameters())
