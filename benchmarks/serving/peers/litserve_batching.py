"""LitServe with its own batching.

    python -m benchmarks.serving.peers.litserve_batching PORT WORKERS

It reads JSON and forms; a .npy as the body is none of its formats.
"""

import sys
from typing import Any

import litserve
import torch
from torch import Tensor

from benchmarks.serving.peers.network import load_network

MAX_REQUESTS = 32  # that share a run
BATCH_SECONDS = 0.001  # that a request may wait for others


class Scoring(litserve.LitAPI):
    """Windows in, latents and scores out."""

    def setup(self, device: str) -> None:
        self.network = load_network().to(device)
        self.threshold = self.network.threshold.item()

    def decode_request(self, request: dict[str, Any]) -> Tensor:
        return torch.tensor(request["instances"], dtype=torch.float32)

    def batch(self, inputs: list[Tensor]) -> list[Tensor]:
        return inputs

    def predict(self, windows: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        with torch.inference_mode():
            latent, score = self.network(torch.cat(windows))
        sizes = [len(one) for one in windows]
        return list(zip(latent.split(sizes), score.split(sizes), strict=True))

    def unbatch(self, output: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
        return output

    def encode_response(self, output: tuple[Tensor, Tensor]) -> dict[str, Any]:
        latent, score = output
        return {
            "latent": latent.tolist(),
            "score": score.tolist(),
            "threshold": self.threshold,
            "is_anomaly": (score > self.threshold).tolist(),
        }


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    api = Scoring(max_batch_size=MAX_REQUESTS, batch_timeout=BATCH_SECONDS)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=port,
        num_api_servers=workers,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
