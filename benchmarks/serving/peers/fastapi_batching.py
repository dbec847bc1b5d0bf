"""FastAPI with batching by hand: what waits in a queue shares a run, and JSON goes through orjson.

A request that finds the network idle runs at once; those that come meanwhile run together.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import numpy as np
import orjson
import torch
from fastapi import FastAPI, Request, Response
from torch import Tensor

from benchmarks.serving.peers.network import load_network

__all__ = ["app"]

MAX_REQUESTS = 32  # that share a run

network = load_network()
threshold = network.threshold.item()


class Waiting(NamedTuple):
    """Windows (B, T), and the future of their latents (B, D) and scores (B,)."""

    windows: Tensor
    answer: asyncio.Future[tuple[Tensor, Tensor]]


queue: asyncio.Queue[Waiting] = asyncio.Queue()


def run(windows: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        latent, score = network(windows)
    return latent, score


async def serve_queue() -> None:
    """Run what is waiting, again and again, in a thread beside the event loop."""
    while True:
        group = [await queue.get()]
        while not queue.empty() and len(group) < MAX_REQUESTS:
            group.append(queue.get_nowait())
        try:
            latent, score = await asyncio.to_thread(run, torch.cat([one.windows for one in group]))
        except Exception as error:
            for one in group:
                one.answer.set_exception(error)
            continue
        sizes = [len(one.windows) for one in group]
        for one, *parts in zip(group, latent.split(sizes), score.split(sizes), strict=True):
            if not one.answer.cancelled():
                one.answer.set_result((parts[0], parts[1]))


async def analysed(windows: Tensor) -> tuple[Tensor, Tensor]:
    """Latents and scores of windows, together with those of other requests."""
    answer: asyncio.Future[tuple[Tensor, Tensor]] = asyncio.get_running_loop().create_future()
    queue.put_nowait(Waiting(windows, answer))
    return await answer


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    task = asyncio.create_task(serve_queue())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer windows in JSON."""
    content = orjson.loads(await request.body())
    latent, score = await analysed(torch.tensor(content["instances"], dtype=torch.float32))
    answer = {
        "latent": latent.numpy(),
        "score": score.numpy(),
        "threshold": threshold,
        "is_anomaly": (score > threshold).numpy(),
    }
    body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


@app.post("/predict-npy")
async def predict_npy(request: Request) -> Response:
    """Scores of windows (B, T, 1) in a .npy."""
    windows = torch.from_numpy(np.load(io.BytesIO(await request.body())))
    _, score = await analysed(windows[:, :, 0])
    answer = io.BytesIO()
    np.save(answer, score[:, None].numpy())
    return Response(answer.getvalue(), media_type="application/octet-stream")
