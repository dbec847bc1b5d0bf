import torch

from rvae.networks.noise import BLOCK, window_noise


def test_noise_depends_on_the_place_of_a_window_alone() -> None:
    whole = window_noise(range(3 * BLOCK), 4, seed=1)
    torch.testing.assert_close(window_noise(range(70, 75), 4, seed=1), whole[70:75])
    torch.testing.assert_close(window_noise(range(1, 150, 2), 4, seed=1), whole[1:150:2])
    assert not torch.equal(window_noise(range(5), 4, seed=2), whole[:5])
    assert abs(whole.mean()) < 0.15 and abs(whole.std() - 1) < 0.1
