import pytest
import torch
from torch import nn

from rvae.config import ModelConfig
from rvae.networks.recurrent import RecurrentDecoder, RecurrentEncoder, carry_forward, last_observed
from rvae.vae import VAE


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameter_counts_of_the_reference_configuration():
    vae = VAE(ModelConfig(hidden=7, depth=2, latent=128), channels=1, window=140)
    assert parameters(vae.encoder) == 728
    assert parameters(vae.posterior) == 2048
    assert parameters(vae.decoder) == 1639


def test_the_encoder_gives_the_top_layers_last_state():
    encoder = RecurrentEncoder(channels=3, hidden=5, depth=2, dropout=0.0, horizon=9)
    x = torch.randn(4, 9, 3)
    _, (state, _) = encoder.lstm(x)
    torch.testing.assert_close(encoder(x, torch.ones_like(x, dtype=torch.bool)), state[-1])


def test_a_padded_window_is_encoded_like_the_short_one():
    encoder = RecurrentEncoder(channels=2, hidden=5, depth=2, dropout=0.0, horizon=9)
    short = torch.randn(3, 6, 2)
    padded = torch.cat([short, torch.full((3, 4, 2), torch.nan)], dim=1)
    torch.testing.assert_close(encoder(padded, ~padded.isnan()), encoder(short, ~short.isnan()))


def test_what_stands_at_missing_places_does_not_matter():
    encoder = RecurrentEncoder(channels=2, hidden=5, depth=1, dropout=0.0, horizon=9)
    x = torch.randn(3, 9, 2)
    mask = torch.rand(3, 9, 2) > 0.3
    other = torch.where(mask, x, 1e6)
    torch.testing.assert_close(encoder(x, mask), encoder(other, mask))


def test_the_last_value_is_carried_forward():
    x = torch.tensor([[torch.nan, 2.0, torch.nan, 4.0, torch.nan]]).unsqueeze(-1)
    filled = carry_forward(x, ~x.isnan())
    assert filled.squeeze().tolist() == [0, 2, 2, 4, 4]


def test_the_last_observed_step_is_found():
    mask = torch.tensor([[[1, 0], [0, 1], [0, 0]], [[0, 0]] * 3, [[0, 0], [0, 0], [1, 1]]]).bool()
    assert last_observed(mask).tolist() == [1, 0, 2]


@pytest.mark.parametrize("depth", [1, 3])
def test_the_latent_alone_makes_the_window(depth):
    decoder = RecurrentDecoder(latent=3, outputs=2, hidden=6, depth=depth, dropout=0.0, horizon=8)
    z = torch.randn(2, 3)
    assert decoder(z).shape == (2, 8, 2)
    torch.testing.assert_close(decoder(z)[:1], decoder(z[:1]))
    assert not torch.allclose(decoder(z)[0], decoder(z)[1])


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("channels", [1, 4])
def test_every_parameter_gets_a_gradient(batch, channels):
    vae = VAE(ModelConfig(hidden=6, depth=2, latent=3), channels, window=5)
    x = torch.randn(batch, 5, channels)
    posterior = vae.encode(x, ~x.isnan())
    loss = -vae.decode(posterior.rsample()).log_prob(x).sum() + posterior.stddev.sum()
    loss.backward()
    for name, parameter in vae.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_units_start_with_time_scales_up_to_the_window():
    encoder = RecurrentEncoder(channels=1, hidden=400, depth=1, dropout=0.0, horizon=200)
    bias = encoder.lstm.bias_ih_l0.detach()
    remembering = 1 / (1 - torch.sigmoid(bias[400:800]))  # mean steps that a cell holds on
    assert remembering.min() < 10
    assert 190 < remembering.max() < 202
    torch.testing.assert_close(bias[:400], -bias[400:800])
    assert bias[800:].abs().sum() == 0


def test_a_fixed_noise_scale_is_no_parameter():
    fixed = VAE(ModelConfig(noise_scale=0.25), channels=2, window=5)
    assert not list(fixed.likelihood.parameters())
    p = fixed.decode(torch.zeros(1, 16))
    torch.testing.assert_close(p.stddev, torch.full((1, 5, 2), 0.25))
    learned = VAE(ModelConfig(), channels=2, window=5)
    assert [p.shape for p in learned.likelihood.parameters()] == [(2,)]
