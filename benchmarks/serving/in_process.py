"""Speed of the network without a server, beside the machine's speed of matrix products.

    python -m benchmarks.serving.in_process ARCHIVE

prints a line of JSON. It is a process of its own, so that it runs with the threads of the servers.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.serving.model import MODEL, WINDOW, waves
from rvae.inference.engine import Engine

__all__ = ["BATCHES", "multiply_adds", "run_in_process"]

BATCHES = (1, 32, 256)
GEMM_WINDOWS = 64  # whose products of weights with states fit into the caches
LARGE = 1024  # rows and columns of the product that shows what the machine can do at the most
SECONDS = 0.7  # of each measurement


def run_in_process(archive: Path, threads: int) -> dict[str, float]:
    """Measure an archive in a new process."""
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "benchmarks.serving.in_process", str(archive)]
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def multiply_adds() -> int:
    """Multiplications with weights that one window of the benchmark's network takes.

    Encoder and decoder have a single input per step, and the same layers.
    """
    hidden, depth = MODEL.recurrent.hidden, MODEL.recurrent.depth
    weights = 4 * hidden * (1 + hidden) + (depth - 1) * 4 * hidden * 2 * hidden
    return 2 * WINDOW * weights


def rate(function: Callable[[], object]) -> float:
    """Calls per second: of the fastest call, as anything else that runs only adds to a call."""
    function()
    fastest, end = float("inf"), time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        function()
        fastest = min(fastest, time.perf_counter() - began)
    return 1 / fastest


def products() -> Callable[[], None]:
    """The products of an LSTM's layer with `GEMM_WINDOWS` windows, alone.

    One for the inputs of all steps, and one for the state of each step.
    """
    hidden = MODEL.recurrent.hidden
    inputs, state = torch.randn(WINDOW * GEMM_WINDOWS, hidden), torch.randn(GEMM_WINDOWS, hidden)
    weights = torch.randn(hidden, 4 * hidden)
    all_gates = torch.empty(len(inputs), 4 * hidden)
    gates = torch.empty(len(state), 4 * hidden)

    def call() -> None:
        torch.mm(inputs, weights, out=all_gates)
        for _ in range(WINDOW):
            torch.mm(state, weights, out=gates)

    return call


@torch.inference_mode()
def gemm() -> dict[str, float]:
    """Rates of matrix products of float32 in GFLOP/s, of a multiplication and an addition each."""
    hidden = MODEL.recurrent.hidden
    work = 2 * GEMM_WINDOWS * WINDOW * hidden * 4 * hidden
    a, b, c = (torch.randn(LARGE, LARGE) for _ in range(3))
    return {
        "gemm_lstm": 2 * work * rate(products()) / 1e9,
        "gemm_large": 2 * LARGE**3 * rate(lambda: torch.mm(a, b, out=c)) / 1e9,
    }


def main() -> None:
    engine = Engine.load(sys.argv[1])
    measured = {}
    for batch in BATCHES:
        series = list(waves(batch, seed=3)[:, :, None])
        measured[f"windows_{batch}"] = batch * rate(partial(engine.analyse, series))
    measured |= gemm()
    flops = 2 * multiply_adds() * measured[f"windows_{BATCHES[-1]}"]
    measured["gemm_share"] = flops / 1e9 / measured["gemm_lstm"]
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
