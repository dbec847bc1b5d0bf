"""Interface of architectures: an encoder and a decoder made from one set of options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

__all__ = ["Architecture"]


@dataclass(frozen=True)
class Architecture:
    """An encoder, a decoder and the class of their options.

    Attributes:
        encoder: `(options, inputs, window)` makes a module that maps features (B, T, inputs) and
            their mask (B, T, inputs), true where observed, to a summary (B, H). Its attribute
            `features` is H.
        decoder: `(options, latent, conditions, outputs, window)` makes a module that maps latents
            (B, D) and the conditions of each step (B, T, conditions), often none, to likelihood
            parameters (B, T, outputs).
        options: Frozen dataclass of the options. An architecture of the package has a section of
            this class in `rvae.config.ModelConfig`; any other takes them from `model.options`.
    """

    encoder: Callable[..., Any]
    decoder: Callable[..., nn.Module]
    options: type[Any]
