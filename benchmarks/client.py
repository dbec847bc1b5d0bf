"""Throughput of the client beside loops of requests, and the cost of its rows.

    python benchmarks/client.py [--windows 4000] [--rounds 5] [--workers 2] [--checkpoint PATH]

A server of its own serves a model: that of `tests/checkpoints/waves.ckpt`, or of a checkpoint. The
same windows are scored in several ways, which alternate in every round, so that other load of the
machine affects all of them equally:

- *a loop*: one request after another of a window each, as JSON, on one connection of requests.
  It gets a part of the windows, as many seconds as the others need for all.
- *a loop of batches*: the same, with 64 windows as `instances` in each request.
- *score_windows*: the client, as an array.
- *score*: the client, as a table with a row per window, of the same values as one long series.

Each round divides the rate of every way by that of the loop; printed are the medians.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import requests
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from rvae.client import Client
from rvae.data.windows import count_windows
from rvae.serving.model_store import list_archives
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve import Endpoint, fresh_state

__all__ = ["compare", "ways"]

CHECKPOINT = Path("tests/checkpoints/waves.ckpt")
NAME = "waves"
BATCH = 64
SHARE_OF_LOOP = 20  # of the windows, for the slowest way
TIMEOUT = 120.0

# Scores some windows, and says how many these were.
Way = Callable[[], int]


def ways(url: str, client: Client, windows: NDArray[np.float64]) -> dict[str, Way]:
    """The ways to score windows (S, T, C), by name."""
    session = requests.Session()
    address = f"{url}/predictions/{NAME}"
    series = windows.reshape(-1, windows.shape[2])

    def post(fields: dict[str, object]) -> None:
        session.post(address, json=fields, timeout=TIMEOUT).raise_for_status()

    def loop() -> int:
        few = windows[: max(1, len(windows) // SHARE_OF_LOOP)]
        for window in few:
            post({"data": window.tolist(), "output": ["score"]})
        return len(few)

    def batches() -> int:
        few = windows[: max(BATCH, len(windows) // 4)]
        for at in range(0, len(few), BATCH):
            post({"instances": few[at : at + BATCH].tolist(), "output": ["score"]})
        return len(few)

    def arrays() -> int:
        return len(client.score_windows(windows))

    def rows() -> int:
        stride = windows.shape[1]
        found = len(client.score(series, by="window", stride=stride))
        assert found == count_windows(len(series), windows.shape[1], stride)
        return found

    return {
        "a loop": loop,
        "a loop of batches": batches,
        "score_windows": arrays,
        "score": rows,
    }


def compare(every: dict[str, Way], rounds: int) -> dict[str, tuple[float, float]]:
    """Windows per second of each way, and how often that is the rate of the first: medians."""
    rates: list[dict[str, float]] = []
    for _ in range(rounds):
        found = {}
        for name, way in every.items():
            began = time.perf_counter()
            count = way()
            found[name] = count / (time.perf_counter() - began)
        rates.append(found)
    first = next(iter(every))
    return {
        name: (median(one[name] for one in rates), median(one[name] / one[first] for one in rates))
        for name in every
    }


def wave_windows(count: int, window: int, channels: int) -> NDArray[np.float64]:
    """Windows (S, T, C) of noisy waves around 20."""
    random = np.random.default_rng(0)
    phase = random.uniform(0, 2 * np.pi, (count, 1, channels))
    angle = np.linspace(0, 2 * np.pi, window, endpoint=False)[None, :, None]
    clean = 20 + 3 * np.sin(angle + phase)
    return np.round(clean + random.normal(0, 0.15, clean.shape), 6)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rvae-client-") as name:
        folder = Path(name)
        build_archive(options.checkpoint, NAME, "1.0", folder / "store")
        state = fresh_state(list_archives(folder / "store"), options.workers)
        with Endpoint(state, folder / "logs") as server:
            server.start()
            with Client(server.url, NAME) as client:
                known = client.description
                windows = wave_windows(options.windows, known.window, len(known.channels))
                every = ways(server.url, client, windows)
                compare(every, 1)  # warms up
                found = compare(every, options.rounds)
    table = Table("way", "windows/s", "times the loop")
    for name, (rate, times) in found.items():
        table.add_row(name, f"{rate:.0f}", f"{times:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
