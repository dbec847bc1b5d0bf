"""Cost of serving: start, latency, throughput and memory, compared with a hand-written server.

    python benchmarks/serving.py [--seconds 5]

The alternative is a typical server without rvae: the same network behind FastAPI and uvicorn, with
one run per request. Both serve one 140-step window per request from one worker with the same number
of threads, with the same clients in the same run. Needs fastapi and uvicorn.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import psutil
import requests
from rich.console import Console
from rich.table import Table

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.inference.compute import available_cpus
from rvae.serving.model_store import list_archives
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve import TorchServe
from rvae.training.fit import fit

WINDOW = 140
MODEL = ModelConfig(recurrent=RecurrentConfig(hidden=90, depth=2), latent=20)
CLIENTS = (1, 32)

ALTERNATIVE = """
import sys
import torch
from fastapi import FastAPI
from rvae.inference.artifact import Artifact
artifact = Artifact.load(sys.argv[1])
mean, scale = artifact.card.scaler.mean[0], artifact.card.scaler.scale[0]
threshold = artifact.card.calibration.threshold()
vae, app = artifact.build(), FastAPI()

@app.post("/predict")
def predict(request: dict):
    with torch.inference_mode():
        x = (torch.tensor(request["data"], dtype=torch.float32).reshape(1, -1, 1) - mean) / scale
        z = vae.encode(x, torch.ones_like(x, dtype=torch.bool)).posterior.mean
        score = -vae.decode(z).log_prob(x).mean().item()
    return {"latent": z.tolist(), "score": [score], "threshold": threshold,
            "is_anomaly": [score > threshold]}

import uvicorn
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""


def train(folder: Path) -> Path:
    """A checkpoint of the benchmark's network; the quality of training does not matter here."""
    random = np.random.default_rng(0)
    phase = random.uniform(0, 2 * np.pi, (200, 1, 1))
    waves = np.sin(np.linspace(0, 2 * np.pi, WINDOW)[None, :, None] + phase)
    np.save(folder / "waves.npy", waves + random.normal(0, 0.05, waves.shape))
    return fit(
        read(folder / "waves.npy", ReaderConfig()),
        TrainingPlan(
            DataConfig(str(folder / "waves.npy"), window=WINDOW),
            MODEL,
            training=TrainingConfig(epochs=1, quantile=0.9),
        ),
        folder,
        progress=False,
    ).checkpoint


def load(url: str, body: bytes, clients: int, seconds: float) -> list[float]:
    """Send requests repeatedly from several connections, and return the seconds of each answer."""
    address = urlsplit(url)
    taken: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds

    def client(mine: list[float]) -> None:
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        while (began := time.perf_counter()) < end:
            connection.request("POST", address.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.read() and answer.status != 200:
                raise RuntimeError(f"{url} answered {answer.status}")
            mine.append(time.perf_counter() - began)

    threads = [Thread(target=client, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [value for mine in taken for value in mine]


def measure(url: str, body: bytes, seconds: float) -> list[float]:
    """p50 of one client in ms, then requests per second with each number of clients."""
    row = []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(load, (url, body, max(CLIENTS), 1.0))
        for clients in CLIENTS:
            taken = pool.apply(load, (url, body, clients, seconds))
            if clients == 1:
                row.append(1000 * float(np.median(taken)))
            row.append(len(taken) / seconds)
    return row


def resident(pids: Sequence[int]) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = train(folder)
        archive = build_archive(checkpoint, "rvae", "1.0", folder / "store")
        print(f"archive: {archive.stat().st_size / 1024:.0f} KiB")
        (folder / "alternative.py").write_text(ALTERNATIVE)
        began = time.perf_counter()
        with TorchServe(list_archives(folder / "store"), "127.0.0.1", 0, 1, folder) as server:
            server.wait_until_ready(120)
            print(f"from start to first answer: {time.perf_counter() - began:.1f} s")
            workers = [p.pid for p in psutil.Process(server.pid).children(recursive=True)]
            body = json.dumps(server.example(server.archives[0])).encode()
            port = (urlsplit(server.inference).port or 0) + 7
            other = subprocess.Popen(
                [sys.executable, folder / "alternative.py", checkpoint, str(port)],
                # With more threads than idle processors it takes seven times as long.
                env=os.environ | {"OMP_NUM_THREADS": str(max(1, available_cpus() - 1))},
            )
            try:
                url = f"http://127.0.0.1:{port}/predict"
                wait_for(url, body)
                ours = f"{server.inference}/predictions/rvae"
                rounds = [
                    (measure(ours, body, options.seconds), measure(url, body, options.seconds))
                    for _ in range(options.rounds)
                ]
                memory = (resident([server.pid]), resident(workers), resident([other.pid]))
            finally:
                other.terminate()
                other.wait()
    print(f"resident: Java {memory[0]:.0f}, worker {memory[1]:.0f}, FastAPI {memory[2]:.0f} MiB")
    table = Table("", "rvae", "FastAPI by hand", "ratio (median of rounds)")
    names = ["p50, 1 client (ms)", *(f"requests/s, {clients} clients" for clients in CLIENTS)]
    for index, title in enumerate(names):
        one, two = (np.array([pair[side][index] for pair in rounds]) for side in (0, 1))
        table.add_row(
            title, f"{np.median(one):.1f}", f"{np.median(two):.1f}", f"{np.median(one / two):.2f}"
        )
    Console().print(table)


def wait_for(url: str, body: bytes) -> None:
    """Wait until the alternative answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.post(url, data=body, headers={"Content-Type": "application/json"}).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


if __name__ == "__main__":
    main()
