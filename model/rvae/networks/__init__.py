"""Encoders and decoders, exchangeable by name.

An architecture is a file with two modules and a line in `ARCHITECTURES`; its options are the
section of the same name in `rvae.config.ModelConfig`.

    Encoder(config, inputs, window): what is read of windows (B, T, inputs), and where it was
        observed, → features (B, features), whose number is its attribute `features`
    Decoder(config, latent, conditions, outputs, window): latents (B, D), and what is told of each
        step besides (B, T, conditions), often nothing, → likelihood parameters (B, T, outputs)
"""

from rvae.networks.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from rvae.networks.dense import DenseDecoder, DenseEncoder
from rvae.networks.recurrent import RecurrentDecoder, RecurrentEncoder

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = {
    "recurrent": (RecurrentEncoder, RecurrentDecoder),
    "convolutional": (ConvolutionalEncoder, ConvolutionalDecoder),
    "dense": (DenseEncoder, DenseDecoder),
}
