import torch
from torch import nn

from rvae.config import DenseConfig
from rvae.networks.dense import DenseDecoder, DenseEncoder, layers


def test_without_hidden_layers_an_encoder_is_its_window_and_a_decoder_linear() -> None:
    encoder = DenseEncoder(DenseConfig(()), inputs=2, window=3)
    x = torch.randn(4, 3, 2)
    assert encoder.features == 6
    torch.testing.assert_close(encoder(x, torch.ones_like(x, dtype=torch.bool)), x.flatten(1))
    decoder = DenseDecoder(DenseConfig(()), latent=2, conditions=1, outputs=4, window=3)
    z, conditions = torch.randn(5, 2), torch.randn(5, 3, 1)
    inputs = torch.cat([z, conditions.flatten(1)], dim=1)
    expected = inputs @ decoder.output.weight.T + decoder.output.bias
    torch.testing.assert_close(decoder(z, conditions), expected.view(5, 3, 4))


def test_a_decoder_has_the_layers_of_its_encoder_in_reverse() -> None:
    config = DenseConfig((7, 5))
    encoder = DenseEncoder(config, inputs=2, window=3)
    decoder = DenseDecoder(config, latent=4, conditions=0, outputs=2, window=3)
    widths = [
        [(one.in_features, one.out_features) for one in part.layers if isinstance(one, nn.Linear)]
        for part in (encoder, decoder)
    ]
    assert widths == [[(6, 7), (7, 5)], [(4, 5), (5, 7)]]
    assert encoder.features == 5


def test_missing_values_are_those_before_them() -> None:
    encoder = DenseEncoder(DenseConfig((5,)), inputs=1, window=3).eval()
    x = torch.tensor([[[1.0], [torch.nan], [2.0]]])
    filled = torch.tensor([[[1.0], [1.0], [2.0]]])
    torch.testing.assert_close(encoder(x, ~x.isnan()), encoder(filled, ~filled.isnan()))


def test_a_hidden_layer_is_normalised_before_its_activation() -> None:
    config = DenseConfig((8,), "tanh", dropout=0.1, normalization="batch")
    kinds = [type(one) for one in layers(config, (3, 8))]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.Tanh, nn.Dropout]


def test_weights_start_as_the_initializer_says() -> None:
    (linear, *_) = layers(DenseConfig((6,), initializer="orthogonal"), (6, 6))
    assert isinstance(linear, nn.Linear)
    torch.testing.assert_close(linear.weight @ linear.weight.T, torch.eye(6), atol=1e-5, rtol=0)
    assert not linear.bias.any()
