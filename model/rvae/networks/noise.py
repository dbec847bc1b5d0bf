"""Noise that depends on a window's place alone, not on its batch or process."""

import numpy as np
import torch
from torch import Tensor

__all__ = ["window_noise"]

# Numbers are drawn for so many windows at once, some in vain.
BLOCK = 64


def window_noise(windows: range, latent: int, seed: int) -> Tensor:
    """Standard normal numbers for latents (B, D) of windows that are known by their places.

    Args:
        windows: Places of the windows.
        latent: Latent dimensions D.
        seed: Of all of them.
    """
    first = windows[0] // BLOCK
    drawn = [
        np.random.default_rng([seed, block]).standard_normal((BLOCK, latent), dtype=np.float32)
        for block in range(first, windows[-1] // BLOCK + 1)
    ]
    return torch.from_numpy(np.concatenate(drawn)[np.array(windows) - first * BLOCK])
