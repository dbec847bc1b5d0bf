"""Seconds of an epoch of training, against a plain loop of PyTorch.

    python -m benchmarks.training [--cells lstm gru] [--windows 1000] [--rounds 5]

The plain loop is what one would write by hand: an encoder, a decoder and nothing else, layers of
PyTorch, the same windows, batches, optimizer, schedule and clipping of gradients; after each epoch
the loss of the validation windows, and a checkpoint of the best. It knows no missing values, no
conditions, no logs, and cannot be resumed. "rvae's network, plain loop" trains the network of rvae
in the same loop, which tells what the network costs and what the training around it.

Each way has a process of its own with as many threads as `rvae fit` takes. The ways alternate; a
round is the mean of an epoch after a first one that does not count. Ratios are of the same round:
their median, and the lowest and highest. Seconds of the processor tell less of what else the
machine does.
"""

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.series import Dataset, Series
from rvae.inference.building import network_of
from rvae.inference.compute import limited_threads
from rvae.networks.objective import negative_elbo
from rvae.training.fit import fit
from rvae.training.module import TrainingModule
from rvae.training.optimization import learning_rate_factor
from rvae.training.prepare import prepare

Cell = Literal["lstm", "gru"]

WINDOW = 140
EPOCHS = 4  # of a round, the first of which does not count


@dataclass(frozen=True)
class Job:
    """What is trained.

    Attributes:
        cell: The recurrent cell.
        windows: Number of windows, a tenth of them for validation and for calibration each.
        hidden: Hidden units.
        depth: Layers.
        latent: Latent dimensions.
        batch: Windows per step.
    """

    cell: Cell
    windows: int = 1000
    hidden: int = 64
    depth: int = 1
    latent: int = 16
    batch: int = 32

    @property
    def plan(self) -> TrainingPlan:
        """The same for `rvae fit`, which has no early stopping in so few epochs."""
        return TrainingPlan(
            DataConfig("", window=WINDOW, stride=WINDOW),
            ModelConfig(
                recurrent=RecurrentConfig(self.cell, self.hidden, self.depth), latent=self.latent
            ),
            training=TrainingConfig(epochs=EPOCHS, batch_size=self.batch, accelerator="cpu"),
        )

    @property
    def dataset(self) -> Dataset:
        """Waves of two frequencies with noise."""
        random = np.random.default_rng(0)
        angle = 2 * np.pi * np.arange(WINDOW) / WINDOW + random.uniform(0, 7, (self.windows, 1))
        values = np.sin(angle) + 0.5 * np.sin(3 * angle) * random.uniform(-1, 1, (self.windows, 1))
        noisy = values + random.normal(0, 0.05, values.shape)  # (W, T)
        series = [Series(one[:, None], str(i)) for i, one in enumerate(noisy)]
        return Dataset(series, ("wave",), ReaderConfig())


class PlainVAE(nn.Module):
    """A recurrent VAE by hand, with as many parameters as the one of rvae."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        layers = {"lstm": nn.LSTM, "gru": nn.GRU}[job.cell]
        self.depth, self.has_memory = job.depth, job.cell == "lstm"
        self.encoder = layers(1, job.hidden, job.depth, batch_first=True)
        self.mean = nn.Linear(job.hidden, job.latent)
        self.log_scale = nn.Linear(job.hidden, job.latent)
        self.start = nn.Linear(job.latent, job.hidden)
        self.decoder = layers(1, job.hidden, job.depth, batch_first=True)
        self.output = nn.Linear(job.hidden, 1)
        self.log_noise = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Windows (B, T, 1) → negative evidence lower bound (B,)."""
        states, _ = self.encoder(x)  # (B, T, H)
        mean, log_scale = self.mean(states[:, -1]), self.log_scale(states[:, -1])  # (B, D)
        z = mean + log_scale.exp() * torch.randn_like(mean)  # (B, D)
        kl = 0.5 * (mean**2 + (2 * log_scale).exp() - 1) - log_scale  # (B, D)
        start = self.start(z).expand(self.depth, -1, -1).contiguous()  # (depth, B, H)
        clock = torch.linspace(-1, 1, x.shape[1])[None, :, None].expand(len(x), -1, -1)
        state = (torch.tanh(start), start) if self.has_memory else torch.tanh(start)
        decoded, _ = self.decoder(clock, state)  # (B, T, H)
        p = torch.distributions.Normal(self.output(decoded), self.log_noise.exp())
        return kl.sum(1) - p.log_prob(x).sum((1, 2))


class NetworkOfRvae(nn.Module):
    """The network that `rvae fit` trains."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.vae = network_of(prepare(job.dataset, job.plan).spec)

    def forward(self, x: Tensor) -> Tensor:
        """Windows (B, T, 1) → negative evidence lower bound (B,)."""
        terms = negative_elbo(self.vae, x, ~x.isnan())
        return terms.reconstruction + terms.kl.sum(1)


class Seconds(NamedTuple):
    """Time on the clock, and time of processors that this process has had."""

    clock: float
    processor: float

    @classmethod
    def now(cls) -> "Seconds":
        """Since some moment."""
        return cls(time.perf_counter(), time.process_time())


def of_an_epoch(moments: Sequence[Seconds]) -> Seconds:
    """The mean of an epoch, from the start of each and the end; the first does not count."""
    epochs = len(moments) - 2
    return Seconds(
        *((end - start) / epochs for start, end in zip(moments[1], moments[-1], strict=True))
    )


def plain_loop(network: nn.Module, job: Job) -> Seconds:
    """Train a network, and return the time of an epoch."""
    windows = prepare(job.dataset, job.plan).windows
    training, validation = (
        torch.from_numpy(np.concatenate([batch.x for batch in windows[part].batches()]))
        for part in ("training", "validation")
    )
    config = job.plan.training
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    steps, best = EPOCHS * -(-len(training) // job.batch), float("inf")
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor((step + 1) / (steps + 1))
    )
    moments = [Seconds.now()]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(EPOCHS):
            network.train()
            for chosen in torch.randperm(len(training)).split(job.batch):
                optimizer.zero_grad()
                network(training[chosen]).mean().backward()
                nn.utils.clip_grad_norm_(network.parameters(), config.gradient_clip)
                optimizer.step()
                rate.step()
            network.eval()
            with torch.no_grad():
                loss = float(torch.cat([network(x) for x in validation.split(job.batch)]).mean())
            if loss < best:
                best = loss
                torch.save(network.state_dict(), Path(folder) / "best.pt")
            moments.append(Seconds.now())
    return of_an_epoch(moments)


def by_hand(job: Job) -> Seconds:
    """Time of an epoch of the plain loop."""
    with limited_threads():
        return plain_loop(PlainVAE(job), job)


def network_of_rvae(job: Job) -> Seconds:
    """Time of an epoch of the plain loop with the network of rvae."""
    with limited_threads():
        return plain_loop(NetworkOfRvae(job), job)


def rvae_fit(job: Job) -> Seconds:
    """Time of an epoch of `rvae.training.fit`, validation and checkpoints included."""
    moments: list[Seconds] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for moment in ("on_train_epoch_start", "on_train_end"):
            stack.enter_context(
                patch.object(TrainingModule, moment, lambda _: moments.append(Seconds.now()))
            )
        fit(job.dataset, job.plan, Path(folder), progress=False)
    return of_an_epoch(moments)


PLAIN = "plain loop"
WAYS: dict[str, Callable[[Job], Seconds]] = {
    PLAIN: by_hand,
    "rvae's network, plain loop": network_of_rvae,
    "rvae fit": rvae_fit,
}


class Ratio(NamedTuple):
    """Ratios of all rounds."""

    median: float
    lowest: float
    highest: float


def ratio(seconds: Sequence[float], of: Sequence[float]) -> Ratio:
    """Seconds of each round, relative to those of another way in the same round."""
    each = [one / other for one, other in zip(seconds, of, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def measure(job: Job, rounds: int) -> dict[str, list[Seconds]]:
    """Time of an epoch by way, for each round."""
    context, measured = get_context("spawn"), {way: list[Seconds]() for way in WAYS}
    with ExitStack() as stack:
        processes = {
            way: stack.enter_context(ProcessPoolExecutor(1, context, quiet)) for way in WAYS
        }
        for _ in track(range(rounds), job.cell, transient=True):
            for way, train in WAYS.items():
                measured[way].append(processes[way].submit(train, job).result())
    return measured


def quiet() -> None:
    """Silence what Lightning says at each start."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")


def report(measured: dict[Cell, dict[str, list[Seconds]]]) -> Table:
    """One row per cell and way."""
    table = Table("cell", "way")
    for name in ("seconds an epoch", "of processors"):
        table.add_column(name, justify="right")
        table.add_column("× plain loop", justify="right")
    for cell, ways in measured.items():
        plain = list(zip(*ways[PLAIN], strict=True))
        for way, rounds in ways.items():
            row = []
            for seconds, of in zip(zip(*rounds, strict=True), plain, strict=True):
                compared = ratio(seconds, of)
                row += [
                    f"{statistics.median(seconds):.2f}",
                    f"{compared.median:.2f} ({compared.lowest:.2f} to {compared.highest:.2f})",
                ]
            table.add_row(cell, way, *row)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", nargs="+", choices=["lstm", "gru"], default=["lstm", "gru"])
    parser.add_argument("--rounds", type=int, default=5)
    for name in ("windows", "hidden", "depth", "batch"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Job, name))
    options = vars(parser.parse_args())
    cells, rounds = options.pop("cells"), options.pop("rounds")
    Console().print(report({cell: measure(Job(cell, **options), rounds) for cell in cells}))


if __name__ == "__main__":
    main()
