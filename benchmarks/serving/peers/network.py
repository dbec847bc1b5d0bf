"""The benchmark's network in plain PyTorch, for the servers that rvae is compared with.

It imports torch alone, so that what rvae imports costs none of them time or memory.
"""

import os
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["MODEL_VARIABLE", "RecurrentVAE", "analyse", "load_network"]

MODEL_VARIABLE = "BENCHMARK_MODEL"  # of the environment: the file that `load_network` reads


class RecurrentVAE(nn.Module):
    """LSTM encoder, normal latents, LSTM decoder with a clock, normal noise of one scale.

    Args:
        window: Time steps T.
        hidden: Units of a layer.
        depth: Layers.
        latent: Latent dimensions D.

    Attributes:
        data_mean: Mean of the training data.
        data_scale: Standard deviation of the training data.
        threshold: A window is flagged if its score is above it.
    """

    clock: Tensor  # (1, T, 1)
    data_mean: Tensor
    data_scale: Tensor
    threshold: Tensor

    def __init__(self, window: int, hidden: int, depth: int, latent: int) -> None:
        super().__init__()
        self.depth = depth
        self.encoder = nn.LSTM(1, hidden, depth, batch_first=True)
        self.mean = nn.Linear(hidden, latent)
        self.start = nn.Linear(latent, hidden)
        self.decoder = nn.LSTM(1, hidden, depth, batch_first=True)
        self.output = nn.Linear(hidden, 1)
        self.log_scale = nn.Parameter(torch.zeros(1))
        self.register_buffer("clock", torch.linspace(-1, 1, window)[None, :, None])
        for name in ("data_mean", "data_scale", "threshold"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Windows (B, T) in the data's units → latents (B, D), scores (B,)."""
        x = ((windows - self.data_mean) / self.data_scale)[:, :, None]  # (B, T, 1)
        states, _ = self.encoder(x)  # (B, T, H)
        latent = self.mean(states[:, -1])  # (B, D)
        start = self.start(latent).expand(self.depth, -1, -1).contiguous()  # (depth, B, H)
        clocks = self.clock.expand(len(x), -1, -1)  # (B, T, 1)
        states, _ = self.decoder(clocks, (torch.tanh(start), start))
        noise = torch.distributions.Normal(
            self.output(states), self.log_scale.exp(), validate_args=False
        )
        return latent, -noise.log_prob(x).mean(dim=(1, 2))


def load_network(path: str | None = None) -> RecurrentVAE:
    """The network in a file of `sizes` and `state`, by default that of the environment."""
    content = torch.load(path or os.environ[MODEL_VARIABLE], weights_only=True)
    network = RecurrentVAE(**content["sizes"])
    network.load_state_dict(content["state"])
    return network.eval()


def analyse(network: RecurrentVAE, windows: Tensor) -> dict[str, Any]:
    """Answer for windows (B, T): latents, scores, threshold and flags."""
    with torch.inference_mode():
        latent, score = network(windows)
    threshold = network.threshold.item()
    return {
        "latent": latent.tolist(),
        "score": score.tolist(),
        "threshold": threshold,
        "is_anomaly": (score > threshold).tolist(),
    }
