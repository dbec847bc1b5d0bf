"""Networks and scorers that torch runs, on a CPU or a GPU."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvae.data.window_dataset import WINDOWS_PER_BATCH, Batch
from rvae.inference.runtimes.runtime import Run, Runtime
from rvae.networks.context import Context
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE
from rvae.scoring.reconstruction import reconstruct
from rvae.scoring.scorer import Scorer

__all__ = ["TorchRuntime"]

# More windows leave the caches of a processor: 256 at once take a fifth longer.
WINDOWS_ON_CPU = 64


class TorchRuntime(Runtime):
    """Runs the network of a model by torch.

    Args:
        network: Network on the device, ready for inference.
        scorer: Scorer of the network.
        device: Device of the network.
        concurrency: Runs at a time on a CPU. If there may be several, each has one thread: threads
            that share a run wait for each other at every step of every layer.

    Attributes:
        network: The network.
        scorer: The scorer.
        device: The device.
    """

    name = "torch"

    def __init__(
        self, network: VAE, scorer: Scorer, device: torch.device, concurrency: int = 1
    ) -> None:
        self.network, self.scorer, self.device = network, scorer, device
        self.concurrency = concurrency if device.type == "cpu" else 1
        self.windows_per_run = WINDOWS_ON_CPU if device.type == "cpu" else WINDOWS_PER_BATCH

    @torch.inference_mode()
    def run(self, batch: Batch) -> Run:
        with self._threads():
            windows = reconstruct(self.network, *TensorBatch.of(batch).to(self.device))
            measured = self.scorer.measure(windows)
            return Run(
                _array(windows.latent),
                _array(windows.p.mean),
                {name: _array(tensor) for name, tensor in measured.items()},
            )

    @torch.inference_mode()
    def encode(self, batch: Batch) -> NDArray[np.float32]:
        with self._threads():
            x, context = TensorBatch.of(batch).to(self.device)
            return _array(self.network.encode(x, ~x.isnan(), context).posterior.centre)

    @torch.inference_mode()
    def decode(
        self, latent: NDArray[np.float32], time: NDArray[np.float32], label: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        context = Context(torch.from_numpy(time), torch.from_numpy(label)).to(self.device)
        return _array(self.network.decode(torch.from_numpy(latent).to(self.device), context).mean)

    def settings(self) -> Mapping[str, Any]:
        return {
            "device": str(self.device),
            "windows_per_run": self.windows_per_run,
            "concurrency": self.concurrency,
        }

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """One thread in a run if there may be several runs; it is a setting of each thread."""
        if self.concurrency == 1:
            yield
            return
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.cpu().numpy())
