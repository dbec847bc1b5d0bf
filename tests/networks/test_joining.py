import pytest
import torch

from rvae.networks.joining import join


def test_features_are_put_side_by_side_in_order() -> None:
    a, b, none = torch.rand(2, 5, 1), torch.rand(2, 5, 3), torch.rand(2, 5, 0)
    assert torch.equal(join(a, none, b), torch.cat([a, b], dim=2))
    assert torch.equal(join(none, a), a)


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_joined_with_nothing_is_nothing(count: int) -> None:
    assert join(*[torch.rand(2, 5, 0)] * count).shape == (2, 5, 0)
