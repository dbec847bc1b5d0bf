import math

import pytest
import torch
from torch.autograd.functional import jacobian
from torch.distributions import Normal, kl_divergence

from rvae.config import FlowConfig
from rvae.networks.flow import FIRST_GATE, FlowPosterior

H = 6


def flow(latent: int = 4, transforms: int = 2, hidden: int = 8) -> FlowPosterior:
    """A flow whose weights are large enough to bend visibly."""
    torch.manual_seed(0)
    made = FlowPosterior(H, latent, FlowConfig(transforms, hidden)).double()
    with torch.no_grad():
        for parameter in made.steps.parameters():
            parameter.mul_(3)
    return made


def only_scaled(latent: int, gate: float) -> FlowPosterior:
    """A flow whose every step multiplies by the sigmoid of a gate, whatever the features."""
    made = flow(latent)
    with torch.no_grad():
        for step in made.steps:
            step[-1].weight.zero_()
            step[-1].bias[:latent] = 0.0
            step[-1].bias[latent:] = gate - FIRST_GATE
    return made


def features(count: int = 1) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(count, H, dtype=torch.float64)


def jacobian_at(made: FlowPosterior, z: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Of where a single sample (1, D) comes to lie (D, D)."""
    return jacobian(lambda at: made.transform(at, given)[0][0], z)[:, 0]


@pytest.mark.parametrize("step", [0, 1])
def test_a_step_is_autoregressive_in_the_one_order_or_the_other(step: int) -> None:
    made = flow()
    made.steps = made.steps[step : step + 1]
    z, given = torch.randn(1, 4, dtype=torch.float64), features()
    matrix = jacobian_at(made, z, given)
    lower = matrix if step == 0 else matrix.flip(0, 1)
    assert lower.triu(1).abs().max() == 0
    assert (lower.tril(-1)[1:].abs().sum(1) > 0).all()
    _, log_slope = made.transform(z, given)
    torch.testing.assert_close(matrix.diagonal(), log_slope[0].exp())


@pytest.mark.parametrize("transforms", [1, 2, 3])
@pytest.mark.parametrize(("latent", "hidden"), [(1, 8), (2, 8), (5, 16), (5, 1)])
def test_slopes_multiply_to_the_determinant(latent: int, hidden: int, transforms: int) -> None:
    made = flow(latent, transforms, hidden)
    given = features()
    for _ in range(5):
        z = 2 * torch.randn(1, latent, dtype=torch.float64)
        _, log_slope = made.transform(z, given)
        _, expected = torch.linalg.slogdet(jacobian_at(made, z, given))
        torch.testing.assert_close(log_slope.sum(), expected)


def test_it_bends_by_the_features_and_at_first_but_little() -> None:
    torch.manual_seed(0)
    made = FlowPosterior(H, 4, FlowConfig()).double()
    z = torch.randn(500, 4, dtype=torch.float64)
    bent, _ = made.transform(z, features(500))
    correlation = torch.corrcoef(torch.stack([z.ravel(), bent.ravel()]))[0, 1]
    assert correlation > 0.95
    other, _ = made.transform(z, -features(500))
    assert not torch.allclose(bent, other)


def test_terms_of_a_draw_are_exact_but_for_what_the_flow_does() -> None:
    """By the change of variables, with the determinant that autograd finds."""
    made, given = flow(), features()
    q = made(given)
    torch.manual_seed(2)
    start = q.base.rsample()
    torch.manual_seed(2)
    z, kl = q.rsample_with_kl(1.0)
    assert kl.shape == (1, 4)
    prior = Normal(torch.zeros(4, dtype=torch.float64), 1.0)
    bent = prior.log_prob(start).sum() - prior.log_prob(z).sum()
    bent = bent - torch.linalg.slogdet(jacobian_at(made, start, given))[1]
    torch.testing.assert_close(kl.sum(), kl_divergence(q.base, prior).sum() + bent)


def test_a_flow_that_hardly_bends_hardly_guesses() -> None:
    """The noise of the estimate would otherwise drown what the decoder has to say at first."""
    torch.manual_seed(0)
    made = FlowPosterior(H, 8, FlowConfig()).double()
    many = features().expand(2000, -1)
    spread = made(many).rsample_with_kl(1.0)[1].sum(1).std()
    sampled = Normal(0.0, 1.0).log_prob(torch.randn(2000, 8)).sum(1).std()
    assert spread < 0.5 * sampled


def test_the_kl_of_a_flow_agrees_with_quadrature() -> None:
    made, given = flow(latent=2), features()
    q = made(given)
    around = torch.linspace(-7, 7, 281, dtype=torch.float64)
    noise = torch.cartesian_prod(around, around)
    start = q.base.mean + q.base.stddev * noise
    z, _ = made.transform(start, given.expand(len(start), -1))
    # No sample's place depends on another's start: the gradients of a sum are those of each.
    rows = [torch.autograd.grad(z[:, i].sum(), start, retain_graph=True)[0] for i in range(2)]
    log_q = q.base.log_prob(start).sum(1) - torch.linalg.slogdet(torch.stack(rows, dim=1))[1]
    weight = Normal(0.0, 1.0).log_prob(noise).sum(1).exp() * (around[1] - around[0]) ** 2
    assert weight.sum().item() == pytest.approx(1, abs=1e-6)
    exact = (weight * (log_q - Normal(0.0, 1.0).log_prob(z).sum(1))).sum()
    drawn = made(given.expand(100_000, -1)).rsample_with_kl(1.0)[1].sum(1)
    error = drawn.std().item() / math.sqrt(len(drawn))
    assert drawn.mean().item() == pytest.approx(exact.item(), abs=4 * error)


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("gate", [40.0, 0.0])
def test_a_flow_that_only_scales_has_the_kl_of_a_normal(gate: float, noise: float) -> None:
    """Whatever the noise of the sample: the divergence is of the distribution, not of the draw."""
    made, given = only_scaled(3, gate), features()
    base = made(given).base
    factor = 1 / (1 + math.exp(-gate)) ** 2  # of two steps
    scaled = Normal(factor * base.mean, factor * base.stddev)
    exact = kl_divergence(scaled, Normal(0.0, 1.0)).sum().item()
    z, kl = made(given.expand(50_000, -1)).rsample_with_kl(noise)
    error = kl.sum(1).std().item() / math.sqrt(len(kl))
    assert kl.sum(1).mean().item() == pytest.approx(exact, abs=4 * error + 1e-9)
    torch.testing.assert_close(z.mean(0), scaled.mean[0], rtol=0, atol=0.05)
    torch.testing.assert_close(z.std(0), noise * scaled.stddev[0], rtol=0.05, atol=1e-12)


def test_a_flow_is_not_rounded_in_mixed_precision() -> None:
    made = flow().float()
    z, given = torch.randn(4, 4), features(4).float()
    exact = made.transform(z, given)
    with torch.autocast("cpu", torch.bfloat16):
        for one, other in zip(made.transform(z, given), exact, strict=True):
            assert torch.equal(one, other)


def test_samples_have_the_shape_that_is_asked_for() -> None:
    q = flow()(features(5))
    assert q.rsample().shape == (5, 4)
    drawn = q.rsample((3, 2))
    assert drawn.shape == (3, 2, 5, 4)
    torch.manual_seed(3)
    one = q.rsample()
    torch.manual_seed(3)
    torch.testing.assert_close(q.rsample_with_kl(1.0)[0], one)
