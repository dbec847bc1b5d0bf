import pytest
import torch

from rvae.config import DenseConfig, ModelConfig
from rvae.networks.vae import VAE
from rvae.scoring.nearest_windows import MOST_NUMBERS, NEAREST, NearestWindows, room

T, C = 6, 2


@pytest.fixture
def vae() -> VAE:
    torch.manual_seed(0)
    return VAE(ModelConfig("dense", dense=DenseConfig(()), latent=3), T, [0] * C).eval()


@pytest.fixture
def latent() -> torch.Tensor:
    return torch.randn(600, 3, generator=torch.Generator().manual_seed(1)) * 3


@torch.no_grad()
def test_what_is_remembered_is_near_itself(vae: VAE, latent: torch.Tensor) -> None:
    memory = NearestWindows(vae, latent)
    windows = vae.decode(latent[300:310]).mean
    _, apart = memory.differences(windows)
    torch.testing.assert_close(apart, torch.zeros_like(apart), atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("missing", [False, True])
def test_distances_are_those_counted_one_by_one(
    vae: VAE, latent: torch.Tensor, missing: bool
) -> None:
    windows = torch.randn(5, T, C)
    if missing:
        windows[torch.rand(windows.shape) < 0.4] = torch.nan
    distance, apart = NearestWindows(vae, latent).differences(windows)
    squares = (windows[:, None] - vae.decode(latent).mean[None]).square()  # (5, M, T, C)
    means = squares.flatten(2).nanmean(2)
    nearest, which = means.topk(NEAREST, largest=False)
    torch.testing.assert_close(distance, nearest.mean(1), rtol=1e-3, atol=1e-4)
    expected = squares[torch.arange(5), which[:, 0]]
    torch.testing.assert_close(apart, expected, rtol=1e-3, atol=1e-4, equal_nan=True)


@torch.no_grad()
def test_nothing_is_near_or_far_from_a_window_without_values(
    vae: VAE, latent: torch.Tensor
) -> None:
    distance, apart = NearestWindows(vae, latent).differences(torch.full((1, T, C), torch.nan))
    assert distance.isnan().all() and apart.isnan().all()


@torch.no_grad()
def test_fewer_than_the_few_nearest_will_do(vae: VAE, latent: torch.Tensor) -> None:
    distance, _ = NearestWindows(vae, latent[:1]).differences(torch.zeros(2, T, C))
    expected = vae.decode(latent[:1]).mean.square().mean().expand(2)
    torch.testing.assert_close(distance, expected, rtol=1e-3, atol=1e-4)


def test_large_windows_leave_room_for_fewer() -> None:
    assert room(100) * 100 <= MOST_NUMBERS < (room(100) + 1) * 100
    assert room(MOST_NUMBERS * 2) == 1
