import math
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch
from scipy import integrate, stats

from rvae.config import ModelConfig
from rvae.networks.likelihoods import Huber, make_likelihood


def density(family: str, scale: float = 0.7) -> Callable[..., Any]:
    """The density of one value around 0.3."""
    likelihood = make_likelihood(ModelConfig(likelihood=family, noise_scale=scale), [0])
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
