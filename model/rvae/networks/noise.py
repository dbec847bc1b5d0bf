"""Noise that depends only on the index of a window, not on its batch or process."""

import numpy as np
import torch
from torch import Tensor

__all__ = ["window_noise"]

# Numbers are drawn for blocks of this many windows; some are not used.
BLOCK = 64


def window_noise(windows: range, latent: int, seed: int) -> Tensor:
    """Standard normal noise (B, D) for the latents of windows.

    Args:
        windows: Indices of the windows.
        latent: Latent dimensions D.
        seed: Seed of all windows.
    """
    first = windows[0] // BLOCK
    drawn = [
        np.random.default_rng([seed, block]).standard_normal((BLOCK, latent), dtype=np.float32)
        for block in range(first, windows[-1] // BLOCK + 1)
    ]  # each (BLOCK, D)
    return torch.from_numpy(np.concatenate(drawn)[np.array(windows) - first * BLOCK])  # (B, D)
