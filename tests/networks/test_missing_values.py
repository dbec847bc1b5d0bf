import torch

from rvae.networks.missing_values import carry_forward, last_observed


def test_the_last_value_is_carried_forward() -> None:
    x = torch.tensor([[torch.nan, 2.0, torch.nan, 4.0, torch.nan]]).unsqueeze(-1)
    filled = carry_forward(x, ~x.isnan())
    assert filled.squeeze().tolist() == [0, 2, 2, 4, 4]


def test_the_last_observed_step_is_found() -> None:
    mask = torch.tensor([[[1, 0], [0, 1], [0, 0]], [[0, 0]] * 3, [[0, 0], [0, 0], [1, 1]]]).bool()
    assert last_observed(mask).tolist() == [1, 0, 2]
