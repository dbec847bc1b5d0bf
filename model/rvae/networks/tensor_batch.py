"""Windows as tensors, in the form that networks take."""

from typing import NamedTuple

import torch
from torch import Tensor

from rvae.data.window_dataset import Batch
from rvae.networks.context import Context

__all__ = ["TensorBatch"]


class TensorBatch(NamedTuple):
    """Windows and their context.

    Attributes:
        x: Scaled values (B, T, C), NaN where missing.
        context: Times and classes.
    """

    x: Tensor
    context: Context

    @classmethod
    def of(cls, batch: Batch) -> "TensorBatch":
        """The same windows, on the CPU, in the same memory."""
        context = Context(torch.from_numpy(batch.time), torch.from_numpy(batch.label))
        return cls(torch.from_numpy(batch.x), context)

    def to(self, device: torch.device) -> "TensorBatch":
        """Copy to a device."""
        return TensorBatch(self.x.to(device), self.context.to(device))
