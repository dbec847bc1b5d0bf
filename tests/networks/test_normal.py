"""The normal distribution without copies, against torch's own."""

import torch
from torch import Tensor
from torch.distributions import Normal

from rvae.networks.normal import PlainNormal


def log_prob(distribution: Normal, value: Tensor) -> Tensor:
    found: Tensor = distribution.log_prob(value)
    return found


def test_it_is_the_normal_distribution_to_the_bit() -> None:
    torch.manual_seed(0)
    loc, value, scale = torch.randn(3, 7, 2), torch.randn(3, 7, 2), torch.rand(2) + 0.1
    plain = PlainNormal(loc, scale)
    expected = Normal(loc, scale.expand_as(loc))
    assert log_prob(plain, value).equal(log_prob(expected, value))
    assert plain.mean.equal(expected.mean)
    assert plain.stddev.equal(expected.stddev)
    torch.manual_seed(1)
    drawn = plain.rsample()
    torch.manual_seed(1)
    assert drawn.equal(expected.rsample())


def test_the_scale_is_not_copied_for_every_value() -> None:
    scale = torch.ones(2)
    assert PlainNormal(torch.zeros(3, 7, 2), scale).scale is scale
