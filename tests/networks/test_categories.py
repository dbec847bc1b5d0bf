import math

import pytest
import torch

from rvae.config import ModelConfig
from rvae.networks.categories import UNIFORM_SHARE, Categories, Mixed
from rvae.networks.likelihoods import StudentTLikelihood, make_likelihood


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_the_known_categories_and_the_unknown_one_are_all_there_is(count: int) -> None:
    p = Categories(torch.randn(4, count) * 5)
    each = [p.log_prob(torch.full((4,), float(code))).exp() for code in range(count + 1)]
    torch.testing.assert_close(sum(each), torch.ones(4))


def test_an_unknown_category_is_unlikely_whatever_the_network_says() -> None:
    count = 9
    said = torch.stack([torch.zeros(count), torch.full((count,), 80.0), torch.arange(9.0) * -50])
    unknown = Categories(said).log_prob(torch.zeros(3))
    torch.testing.assert_close(unknown, torch.full((3,), math.log(UNIFORM_SHARE / 10)))
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
    likelihood = make_likelihood(ModelConfig(likelihood="student_t"), categories)
    assert isinstance(likelihood, StudentTLikelihood)
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
    numbers = make_likelihood(ModelConfig(likelihood="student_t"), [0, 0, 0])
    numbers.load_state_dict(likelihood.state_dict())
    at = [1, 2, 4]
    alone = numbers(said[..., [2, 3, 7]])
    torch.testing.assert_close(nll[..., at], alone.log_prob(x[..., at]))
    torch.testing.assert_close(nll[..., 0], Categories(said[..., :2]).log_prob(x[..., 0]))
    torch.testing.assert_close(nll[..., 3], Categories(said[..., 4:7]).log_prob(x[..., 3]))
    torch.testing.assert_close(p.mean[..., [2, 3, 7]], alone.mean)
    torch.testing.assert_close(p.mean[..., :2], Categories(said[..., :2]).mean)
    torch.testing.assert_close(p.mean[..., 4:7], Categories(said[..., 4:7]).mean)


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
