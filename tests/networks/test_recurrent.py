from typing import Literal

import pytest
import torch
from torch import nn

from rvae.config import ModelConfig, RecurrentConfig
from rvae.networks.recurrent import RecurrentDecoder, RecurrentEncoder
from rvae.networks.vae import VAE


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameter_counts_of_the_reference_configuration() -> None:
    vae = VAE(
        ModelConfig(recurrent=RecurrentConfig(hidden=7, depth=2), latent=128),
        window=140,
        categories=[0],
    )
    assert parameters(vae.encoder) == 728
    assert parameters(vae.posterior) == 2048
    assert parameters(vae.decoder) == 1639


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_encoder_gives_the_top_layers_last_state(cell: Literal["lstm", "gru"]) -> None:
    encoder = RecurrentEncoder(RecurrentConfig(cell, hidden=5, depth=2), inputs=3, window=9)
    x = torch.randn(4, 9, 3)
    _, state = encoder.layers(x)
    top = (state[0] if cell == "lstm" else state)[-1]
    torch.testing.assert_close(encoder(x, torch.ones_like(x, dtype=torch.bool)), top)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_padded_window_is_encoded_like_the_short_one(bidirectional: bool) -> None:
    config = RecurrentConfig(hidden=5, depth=2, bidirectional=bidirectional)
    encoder = RecurrentEncoder(config, inputs=2, window=9)
    short = torch.randn(3, 6, 2)
    padded = torch.cat([short, torch.full((3, 4, 2), torch.nan)], dim=1)
    torch.testing.assert_close(encoder(padded, ~padded.isnan()), encoder(short, ~short.isnan()))


@pytest.mark.parametrize("conditioning", ["start", "every_step", "feedback"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_latent_alone_makes_the_window(
    depth: int, conditioning: Literal["start", "every_step", "feedback"]
) -> None:
    config = RecurrentConfig(hidden=6, depth=depth, conditioning=conditioning)
    decoder = RecurrentDecoder(config, latent=3, conditions=0, outputs=2, window=8)
    z = torch.randn(2, 3)
    nothing = torch.zeros(2, 8, 0)
    said = decoder(z, nothing)
    assert said.shape == (2, 8, 2)
    torch.testing.assert_close(said[:1], decoder(z[:1], nothing[:1]))
    assert not torch.allclose(said[0], said[1])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_units_start_with_time_scales_up_to_the_window(cell: Literal["lstm", "gru"]) -> None:
    encoder = RecurrentEncoder(RecurrentConfig(cell, hidden=400), inputs=1, window=200)
    bias = encoder.layers.bias_ih_l0.detach()
    remembering = 1 / (1 - torch.sigmoid(bias[400:800]))  # mean steps that a unit holds on
    assert remembering.min() < 10
    assert 190 < remembering.max() < 202
    if cell == "lstm":
        torch.testing.assert_close(bias[:400], -bias[400:800])
    assert bias[800:].abs().sum() == 0
