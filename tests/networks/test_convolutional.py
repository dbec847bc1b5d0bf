import pytest
import torch

from rvae.config import ConvolutionalConfig
from rvae.networks.convolutional import (
    Attention,
    ConvolutionalDecoder,
    ConvolutionalEncoder,
    blocks_of,
    coarse_steps,
)


@pytest.mark.parametrize("window", [2, 3, 5, 16, 17, 100])
@pytest.mark.parametrize("blocks", [1, 2, 9])
def test_each_block_halves_time_and_its_counterpart_doubles_it(window: int, blocks: int) -> None:
    config = ConvolutionalConfig(filters=4, blocks=blocks)
    used = blocks_of(config, window)
    assert used == min(blocks, (window - 1).bit_length())
    encoder = ConvolutionalEncoder(config, inputs=2, window=window)
    coarse = encoder.blocks(torch.zeros(1, 4, window))
    assert coarse.shape == (1, 4, coarse_steps(config, window))
    x = torch.randn(3, window, 2)
    features = encoder(x, torch.ones_like(x, dtype=torch.bool))
    assert features.shape == (3, encoder.features) == (3, coarse[0].numel())
    decoder = ConvolutionalDecoder(config, latent=2, conditions=1, outputs=3, window=window)
    fine = decoder.blocks(torch.zeros(1, *decoder.coarse))
    assert fine.shape[-1] == coarse_steps(config, window) * 2**used >= window
    assert decoder(torch.randn(3, 2), torch.randn(3, window, 1)).shape == (3, window, 3)


def test_attention_looks_at_all_of_time_and_knows_the_places() -> None:
    torch.manual_seed(0)
    attention = Attention(ConvolutionalConfig(filters=4), steps=6)
    x = torch.randn(1, 6, 4)
    other = x.clone()
    other[:, 5] = torch.randn(4)
    assert (attention(other) - attention(x))[:, :5].abs().sum(2).gt(1e-4).all()
    turned = attention(x.flip(1)).flip(1)
    assert not torch.allclose(turned, attention(x))
    with torch.no_grad():
        attention.place.zero_()
    torch.testing.assert_close(attention(x.flip(1)).flip(1), attention(x))


def test_an_encoder_tells_a_missing_value_from_one_that_stands_still() -> None:
    torch.manual_seed(0)
    encoder = ConvolutionalEncoder(ConvolutionalConfig(filters=4), inputs=1, window=8).eval()
    still = torch.ones(1, 8, 1)
    gap = still.clone()
    gap[:, 4] = torch.nan
    assert not torch.allclose(encoder(gap, ~gap.isnan()), encoder(still, ~still.isnan()))
