"""Features side by side."""

import torch
from torch import Tensor

__all__ = ["join"]


def join(*features: Tensor) -> Tensor:
    """Concatenate features (..., K) along their last axis, of which some may have none at all.

    Those are left out: some runtimes cannot concatenate nothing.
    """
    wide = [one for one in features if one.shape[-1] > 0]
    return torch.cat(wide, dim=-1) if len(wide) > 1 else (wide or features)[0]
