"""Dropout, normalization and initializer: the same options for every architecture."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

from rvae.config import ConvolutionalConfig, DenseConfig, ModelConfig, RecurrentConfig
from rvae.networks.layer_options import initialize, normalization
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE

T = 9
BASES: dict[str, Any] = {
    "recurrent": RecurrentConfig(hidden=6, depth=2),
    "recurrent, both ways": RecurrentConfig("gru", 6, bidirectional=True, patch=2),
    "recurrent, feedback": RecurrentConfig(hidden=6, depth=2, conditioning="feedback"),
    "convolutional": ConvolutionalConfig(filters=8, blocks=2),
    "dense": DenseConfig((8, 6)),
}
COMBINATIONS = [
    (base, {"normalization": kind, "initializer": initializer, "dropout": dropout})
    for base, kind, initializer, dropout in product(
        BASES,
        ["none", "batch", "layer"],
        ["default", "xavier", "kaiming", "orthogonal"],
        [0.0, 0.3],
    )
    if (base, kind) != ("recurrent, feedback", "batch")  # which is refused
]


def network(base: str, **options: Any) -> VAE:
    torch.manual_seed(0)
    architecture = base.split(",")[0]
    sections: dict[str, Any] = {architecture: replace(BASES[base], **options)}
    return VAE(ModelConfig(architecture, latent=3, **sections), T, [0, 0])


@pytest.mark.parametrize(("base", "options"), COMBINATIONS)
def test_every_combination_is_a_network(base: str, options: dict[str, Any]) -> None:
    vae = network(base, **options)
    x = torch.randn(12, T, 2)
    x[0, 5:] = torch.nan
    negative_elbo(vae, x, ~x.isnan()).loss(1.0).backward()
    for name, parameter in vae.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name
    again = network(base, **options)
    again.load_state_dict(vae.state_dict())  # with the statistics of batches
    vae.eval(), again.eval()
    latents = vae.encode(x, ~x.isnan()).posterior.centre
    assert latents.shape == (12, 3)
    decoded = vae.decode(latents).mean
    assert decoded.shape == x.shape
    assert torch.equal(again.encode(x, ~x.isnan()).posterior.centre, latents)
    assert torch.equal(again.decode(latents).mean, decoded)
    torch.testing.assert_close(vae.decode(latents[3:4]).mean, decoded[3:4])


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("part", ["encode", "decode"])
def test_dropout_acts_in_training_only(base: str, part: str) -> None:
    x, z = torch.randn(4, T, 2), torch.randn(4, 3)

    def run(vae: VAE) -> torch.Tensor:
        if part == "decode":
            return vae.decode(z).mean
        return vae.encode(x, ~x.isnan()).posterior.centre

    with_dropout, without = network(base, dropout=0.5), network(base)
    assert not torch.allclose(run(with_dropout), run(with_dropout))
    assert torch.equal(run(with_dropout.eval()), run(without.eval()))


def test_a_single_recurrent_layer_has_dropout_on_its_outputs() -> None:
    config = RecurrentConfig(hidden=6, dropout=0.5)
    vae = VAE(ModelConfig(recurrent=config), T, [0])
    x = torch.randn(200, T, 1)
    features = vae.encoder(x, ~x.isnan())
    assert (features == 0).float().mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("base", BASES)
def test_initializers_differ(base: str) -> None:
    first = "blocks.0.weight" if base == "convolutional" else "layers.0.weight"
    name = "layers.weight_hh_l0" if base.startswith("recurrent") else first
    weights = [
        network(base, initializer=one).encoder.state_dict()[name]
        for one in ("xavier", "kaiming", "orthogonal")
    ]
    assert not torch.allclose(weights[0], weights[1])
    rows = weights[2].flatten(1)
    if base.startswith("recurrent"):
        rows = rows[:6]  # one gate
    if rows.shape[0] > rows.shape[1]:
        rows = rows.T
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 4)])
def test_normalizations_are_those_of_the_papers(shape: tuple[int, ...]) -> None:
    x = 3 + 2 * torch.randn(shape)
    (batch,), (layer,) = normalization("batch", 5), normalization("layer", 5)
    for module, axes in ((batch, (0, 2)[: len(shape) - 1]), (layer, tuple(range(1, len(shape))))):
        mean = x.mean(axes, keepdim=True)
        variance = x.var(axes, keepdim=True, correction=0)
        torch.testing.assert_close(module(x), (x - mean) / (variance + 1e-5).sqrt())
    assert normalization("none", 5) == []


def test_by_default_a_layer_starts_as_pytorchs() -> None:
    torch.manual_seed(0)
    expected = nn.Linear(4, 3).weight
    torch.manual_seed(0)
    layer = nn.Linear(4, 3)
    initialize(layer, "default")
    assert torch.equal(layer.weight, expected)
    initialize(layer, "xavier")
    assert not torch.equal(layer.weight, expected)
    assert not layer.bias.any()
