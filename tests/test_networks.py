from dataclasses import replace

import pytest
import torch
from torch import nn

from rvae.config import (
    ConvolutionalConfig,
    DenseConfig,
    ModelConfig,
    RecurrentConfig,
)
from rvae.networks.missing import carry_forward, last_observed
from rvae.networks.recurrent import RecurrentDecoder, RecurrentEncoder
from rvae.objective import negative_elbo
from rvae.vae import VAE

T, C = 12, 2

ARCHITECTURES = {
    "lstm": ModelConfig(recurrent=RecurrentConfig(hidden=6)),
    "lstm, deep": ModelConfig(recurrent=RecurrentConfig(hidden=6, depth=3, dropout=0.2)),
    "lstm, both ways": ModelConfig(
        recurrent=RecurrentConfig(hidden=6, depth=2, bidirectional=True)
    ),
    "lstm, every step": ModelConfig(recurrent=RecurrentConfig(hidden=6, conditioning="every_step")),
    "lstm, feedback": ModelConfig(recurrent=RecurrentConfig(hidden=6, conditioning="feedback")),
    "gru": ModelConfig(recurrent=RecurrentConfig("gru", hidden=6, depth=2)),
    "gru, both ways, feedback": ModelConfig(
        recurrent=RecurrentConfig("gru", 6, bidirectional=True, conditioning="feedback")
    ),
    "convolutional": ModelConfig("convolutional", convolutional=ConvolutionalConfig(filters=8)),
    "convolutional, dropout": ModelConfig(
        "convolutional",
        convolutional=ConvolutionalConfig(filters=6, heads=2, blocks=2, dropout=0.2),
    ),
    "dense": ModelConfig("dense", dense=DenseConfig((16, 8))),
    "dense, normalised": ModelConfig(
        "dense",
        dense=DenseConfig((16,), "tanh", batch_norm=True, dropout=0.1, initializer="xavier"),
    ),
    "linear": ModelConfig("dense", dense=DenseConfig(())),
}
LIKELIHOODS = ("normal", "student_t", "laplace", "huber")


@pytest.fixture(params=ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def config(request):
    torch.manual_seed(0)
    return request.param


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("window", [2, 3, 12, 33])
def test_any_window_and_any_number_of_channels(config, window, channels):
    vae = VAE(config, window, [0] * channels).eval()
    x = torch.randn(5, window, channels)
    q = vae.encode(x, ~x.isnan())
    assert q.mean.shape == q.stddev.shape == (5, 16)
    assert vae.decode(q.mean).mean.shape == x.shape


def test_every_parameter_of_every_architecture_gets_a_gradient(config):
    vae = VAE(config, T, [0] * C)
    x = torch.randn(7, T, C)
    negative_elbo(vae, x, ~x.isnan()).loss(1.0).backward()
    for name, parameter in vae.named_parameters():
        # A bias before batch normalisation is subtracted again, and one on the keys of an
        # attention shifts all of them alike: their gradients are zero but for rounding.
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_eval_is_deterministic_and_neighbours_do_not_matter(config):
    vae = VAE(config, T, [0] * C).eval()
    x = torch.randn(6, T, C)
    x[2, 5:] = torch.nan
    x[4, ::2, 0] = torch.nan

    def run(part):
        z = vae.encode(part, ~part.isnan()).mean
        return z, vae.decode(z).mean

    for one, two in zip(run(x), run(x), strict=True):
        assert torch.equal(one, two)
    for whole, turned in zip(run(x), run(x.flip(0)), strict=True):
        torch.testing.assert_close(whole, turned.flip(0))
    for whole, alone in zip(run(x), run(x[2:3]), strict=True):
        torch.testing.assert_close(whole[2:3], alone)


def test_what_stands_at_missing_places_reaches_nothing(config):
    vae = VAE(config, T, [0] * C).eval()
    x = torch.randn(4, T, C)
    mask = torch.rand(4, T, C) > 0.3
    mask[0, 4:] = False
    mask[1] = False
    noise = torch.where(mask, x, 1e6)
    gaps = torch.where(mask, x, torch.nan)
    for other in (noise, gaps):
        torch.testing.assert_close(vae.encode(x, mask).mean, vae.encode(other, mask).mean)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_training_steps_lower_the_loss(config, likelihood):
    vae = VAE(replace(config, likelihood=likelihood), T, [0] * C)
    x = torch.sin(torch.linspace(0, 6, T)[None, :, None] + torch.rand(16, 1, C) * 6)
    optimizer = torch.optim.Adam(vae.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = negative_elbo(vae, x, ~x.isnan()).loss(1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < sum(losses[:5]) - 5  # a nat a window


def test_weights_survive_saving(config, tmp_path):
    one, two = VAE(config, T, [0] * C).eval(), VAE(config, T, [0] * C).eval()
    torch.save(one.state_dict(), tmp_path / "weights.pt")
    two.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    z = torch.randn(3, 16)
    assert torch.equal(one.decode(z).mean, two.decode(z).mean)


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameter_counts_of_the_reference_configuration():
    vae = VAE(
        ModelConfig(recurrent=RecurrentConfig(hidden=7, depth=2), latent=128),
        window=140,
        categories=[0],
    )
    assert parameters(vae.encoder) == 728
    assert parameters(vae.posterior) == 2048
    assert parameters(vae.decoder) == 1639


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_encoder_gives_the_top_layers_last_state(cell):
    encoder = RecurrentEncoder(RecurrentConfig(cell, hidden=5, depth=2), inputs=3, window=9)
    x = torch.randn(4, 9, 3)
    _, state = encoder.layers(x)
    top = (state[0] if cell == "lstm" else state)[-1]
    torch.testing.assert_close(encoder(x, torch.ones_like(x, dtype=torch.bool)), top)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_padded_window_is_encoded_like_the_short_one(bidirectional):
    config = RecurrentConfig(hidden=5, depth=2, bidirectional=bidirectional)
    encoder = RecurrentEncoder(config, inputs=2, window=9)
    short = torch.randn(3, 6, 2)
    padded = torch.cat([short, torch.full((3, 4, 2), torch.nan)], dim=1)
    torch.testing.assert_close(encoder(padded, ~padded.isnan()), encoder(short, ~short.isnan()))


def test_the_last_value_is_carried_forward():
    x = torch.tensor([[torch.nan, 2.0, torch.nan, 4.0, torch.nan]]).unsqueeze(-1)
    filled = carry_forward(x, ~x.isnan())
    assert filled.squeeze().tolist() == [0, 2, 2, 4, 4]


def test_the_last_observed_step_is_found():
    mask = torch.tensor([[[1, 0], [0, 1], [0, 0]], [[0, 0]] * 3, [[0, 0], [0, 0], [1, 1]]]).bool()
    assert last_observed(mask).tolist() == [1, 0, 2]


@pytest.mark.parametrize("conditioning", ["start", "every_step", "feedback"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_latent_alone_makes_the_window(depth, conditioning):
    config = RecurrentConfig(hidden=6, depth=depth, conditioning=conditioning)
    decoder = RecurrentDecoder(config, latent=3, conditions=0, outputs=2, window=8)
    z = torch.randn(2, 3)
    nothing = torch.zeros(2, 8, 0)
    said = decoder(z, nothing)
    assert said.shape == (2, 8, 2)
    torch.testing.assert_close(said[:1], decoder(z[:1], nothing[:1]))
    assert not torch.allclose(said[0], said[1])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_units_start_with_time_scales_up_to_the_window(cell):
    encoder = RecurrentEncoder(RecurrentConfig(cell, hidden=400), inputs=1, window=200)
    bias = encoder.layers.bias_ih_l0.detach()
    remembering = 1 / (1 - torch.sigmoid(bias[400:800]))  # mean steps that a unit holds on
    assert remembering.min() < 10
    assert 190 < remembering.max() < 202
    if cell == "lstm":
        torch.testing.assert_close(bias[:400], -bias[400:800])
    assert bias[800:].abs().sum() == 0


@pytest.mark.parametrize("blocks", [1, 14])
def test_no_more_blocks_than_a_window_can_be_halved(blocks):
    config = ConvolutionalConfig(filters=8, blocks=blocks)
    decoder = VAE(ModelConfig("convolutional", convolutional=config), 16, [0]).decoder
    assert decoder.blocks(torch.zeros(1, 8, decoder.coarse[1])).shape[-1] == 16


def test_a_fixed_noise_scale_is_no_parameter():
    fixed = VAE(ModelConfig(noise_scale=0.25), window=5, categories=[0, 0])
    assert not list(fixed.likelihood.parameters())
    p = fixed.decode(torch.zeros(1, 16))
    torch.testing.assert_close(p.stddev, torch.full((1, 5, 2), 0.25))
    learned = VAE(ModelConfig(), window=5, categories=[0, 0])
    assert [p.shape for p in learned.likelihood.parameters()] == [(2,)]
