import pytest
import torch

from rvae.config import DenseConfig, ModelConfig, RecurrentConfig
from rvae.networks.context import Context
from rvae.networks.instance_normalization import MIN_SPREAD, InstanceNormalization
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE

B, T = 4, 16
SMALL = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=3, normalization="instance")


@pytest.fixture
def x() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(B, T, 2) * 3 + 5


def told(instances: InstanceNormalization, x: torch.Tensor) -> Context:
    return instances.with_statistics(x, ~x.isnan(), Context.empty(len(x), T))


def test_windows_are_brought_to_no_level_and_nearly_one_spread(x: torch.Tensor) -> None:
    instances = InstanceNormalization(True, [0, 0])
    normal = instances.normalize(x, told(instances, x))
    torch.testing.assert_close(normal.mean(1), torch.zeros(B, 2), atol=1e-5, rtol=0)
    spread = x.std(1, unbiased=False)
    torch.testing.assert_close(normal.std(1, unbiased=False), spread / (spread + MIN_SPREAD))


def test_what_was_taken_off_is_put_back(x: torch.Tensor) -> None:
    instances = InstanceNormalization(True, [0, 0])
    context = told(instances, x)
    torch.testing.assert_close(instances.denormalize(instances.normalize(x, context), context), x)
    torch.testing.assert_close(instances.relative(x, context), instances.normalize(x, context))


def test_a_flat_window_is_not_blown_up() -> None:
    instances = InstanceNormalization(True, [0])
    flat = torch.full((1, T, 1), 7.0)
    flat[0, 3] += 1e-4
    assert instances.normalize(flat, told(instances, flat)).abs().max() < 2e-3


def test_missing_values_have_no_part_in_level_and_spread(x: torch.Tensor) -> None:
    instances = InstanceNormalization(True, [0, 0])
    holed = x.clone()
    holed[:, 10:] = torch.nan
    context = told(instances, holed)
    torch.testing.assert_close(context.level, x[:, :10].mean(1, keepdim=True))
    expected = x[:, :10].std(1, unbiased=False, keepdim=True) + MIN_SPREAD
    torch.testing.assert_close(context.spread, expected)


def test_a_window_without_values_has_no_level() -> None:
    instances = InstanceNormalization(True, [0])
    context = told(instances, torch.full((1, T, 1), torch.nan))
    assert context.level.item() == 0 and context.spread.item() == pytest.approx(MIN_SPREAD)


def test_categories_are_left_alone() -> None:
    instances = InstanceNormalization(True, [0, 3])
    x = torch.stack([torch.randn(B, T) + 9, torch.full((B, T), 2.0)], dim=2)
    context = told(instances, x)
    assert torch.equal(instances.normalize(x, context)[..., 1], x[..., 1])
    said = torch.randn(B, T, 4)
    back = instances.denormalize(said, context)
    assert torch.equal(back[..., 1:], said[..., 1:])
    assert not torch.allclose(back[..., 0], said[..., 0])


def test_who_does_not_want_it_gets_nothing(x: torch.Tensor) -> None:
    instances = InstanceNormalization(False, [0, 0])
    context = told(instances, x)
    assert context.level is None and torch.equal(instances.normalize(x, context), x)


def test_a_shape_is_encoded_alike_at_any_level_and_any_wide_spread(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    vae = VAE(SMALL, T, [0, 0]).eval()
    far = (x - x.mean(1, keepdim=True)) * 1000
    latents = []
    for window in (far, far * 7 + 40_000):
        mask = torch.ones_like(window, dtype=torch.bool)
        latents.append(vae.encode(window, mask, vae.encode(window, mask).context).posterior.centre)
    torch.testing.assert_close(latents[0], latents[1], atol=1e-3, rtol=1e-3)


def test_the_reconstruction_stands_at_the_level_of_its_window(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    vae = VAE(ModelConfig("dense", dense=DenseConfig(()), normalization="instance"), T, [0]).eval()
    mask = torch.ones(B, T, 1, dtype=torch.bool)
    near, far = x[..., :1], x[..., :1] + 100
    said = [
        vae.decode(
            vae.encode(w, mask, vae.encode(w, mask).context).posterior.centre,
            vae.encode(w, mask).context,
        ).mean
        for w in (near, far)
    ]
    torch.testing.assert_close(said[1] - said[0], torch.full((B, T, 1), 100.0), atol=1e-3, rtol=0)


def test_what_the_encoder_does_not_see_has_no_part_in_the_level(x: torch.Tensor) -> None:
    vae = VAE(SMALL, T, [0, 0]).eval()
    mask = torch.ones_like(x, dtype=torch.bool)
    seen = mask.clone()
    seen[:, 8:] = False
    other = x.clone()
    other[:, 8:] += 50
    torch.manual_seed(1)
    one = negative_elbo(vae, x, mask, visible=seen)
    two = negative_elbo(vae, other, mask, visible=seen)
    torch.testing.assert_close(one.latent, two.latent)
