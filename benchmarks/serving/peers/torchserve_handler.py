"""TorchServe by hand: a plain handler, which runs the windows of a batch of requests together."""

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from network import load_network  # beside it in the archive
from torch import Tensor


class Handler:
    """TorchServe's handler."""

    def initialize(self, context: Any) -> None:
        """Load the weights in the model folder."""
        logging.getLogger().setLevel(logging.WARNING)
        folder = Path(context.system_properties["model_dir"])
        weights = folder / context.manifest["model"]["serializedFile"]
        self.network = load_network(str(weights))
        self.threshold = self.network.threshold.item()

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[bytes]:
        """Answer a batch of requests."""
        bodies = [item["body"] for item in data]
        windows = [read(body) for body in bodies]
        with torch.inference_mode():
            latents, scores = self.network(torch.cat(windows))
        sizes = [len(one) for one in windows]
        parts = zip(bodies, latents.split(sizes), scores.split(sizes), strict=True)
        return [self.write(*part) for part in parts]

    def write(self, body: Any, latent: Tensor, score: Tensor) -> bytes:
        """Scores in a .npy if the request was one, otherwise the answer in JSON."""
        if not isinstance(body, dict):
            answer = io.BytesIO()
            np.save(answer, score[:, None].numpy())
            return answer.getvalue()
        content = {
            "latent": latent.tolist(),
            "score": score.tolist(),
            "threshold": self.threshold,
            "is_anomaly": (score > self.threshold).tolist(),
        }
        return orjson.dumps(content)


def read(body: Any) -> Tensor:
    """Windows (B, T) of a body, which TorchServe has parsed if it is JSON."""
    if isinstance(body, dict):
        return torch.tensor(body["instances"], dtype=torch.float32)
    return torch.from_numpy(np.load(io.BytesIO(body)))[:, :, 0]
