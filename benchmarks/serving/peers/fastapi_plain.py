"""FastAPI as in its tutorial: bodies checked by pydantic, one run of the network a request."""

import io

import numpy as np
import torch
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from benchmarks.serving.peers.network import analyse, load_network

__all__ = ["app"]

network = load_network()
app = FastAPI()


class Windows(BaseModel):
    """A request."""

    instances: list[list[float]]


class Answer(BaseModel):
    """An answer."""

    latent: list[list[float]]
    score: list[float]
    threshold: float
    is_anomaly: list[bool]


@app.post("/predict")
def predict(request: Windows) -> Answer:
    """Answer windows in JSON."""
    return Answer(**analyse(network, torch.tensor(request.instances)))


@app.post("/predict-npy")
async def predict_npy(request: Request) -> Response:
    """Scores of windows (B, T, 1) in a .npy."""
    windows = torch.from_numpy(np.load(io.BytesIO(await request.body())))
    with torch.inference_mode():
        _, score = network(windows[:, :, 0])
    answer = io.BytesIO()
    np.save(answer, score[:, None].numpy())
    return Response(answer.getvalue(), media_type="application/octet-stream")
