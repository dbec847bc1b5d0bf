"""Training on a folder ten times larger than the available memory.

    python benchmarks/streaming.py [--gigabytes 8] [--channels 2] [--window 140] [--steps 200]
                                   [--workers 0] [--parquet] [--folder /tmp]

Makes a folder of .npy or .parquet files, runs `rvae fit` on it for one epoch of STEPS steps with
windows from the whole folder, and on as many windows of a file of 64 MB that is read into memory.
Prints time and memory of both. All files are made in FOLDER and removed; .parquet needs three times
its size there, because rvae converts it to a file of float64.

The limit is on a process's writable private memory (RLIMIT_DATA): a process that exceeds it fails.
Pages of files do not count: the system keeps them while there is free memory, and drops them if
anything else needs it. A control group would count them, but needs privileges. Importing PyTorch
and Lightning takes several hundred megabytes: the folder cannot be much smaller than 7 GB.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from rich.console import Console
from rich.table import Table
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

MB, GB = 10**6, 10**9
FILES = 20
BATCH = 32
IN_MEMORY = 64 * MB
IMPORTS = [sys.executable, "-c", "import torch, pytorch_lightning"]


@dataclass(frozen=True)
class Run:
    """Time and memory of a process, in seconds and bytes.

    Attributes:
        resident: Peak of resident memory (VmHWM).
        anonymous: Peak of memory without pages of files (RssAnon).
        began: Time of its start.
        ended: Time of its end.
    """

    resident: int
    anonymous: int
    began: float
    ended: float


def blocks(rows: int, channels: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Waves in noise (rows, C), in blocks."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 0.3, (1 << 20, channels)).astype(np.float32)
    for start in range(0, rows, len(noise)):
        steps = np.arange(start, min(start + len(noise), rows))[:, None]
        waves = np.sin(steps / 11 + np.arange(channels)) * np.sin(steps / 997)
        yield np.roll(noise, random.integers(len(noise)), axis=0)[: len(steps)] + waves.astype("f4")


def write_npy(path: Path, rows: int, channels: int, seed: int) -> None:
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, channels)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(rows, channels, seed):
            file.write(block.tobytes())


def write_parquet(path: Path, rows: int, channels: int, seed: int) -> None:
    schema = pa.schema([(f"channel_{i}", pa.float32()) for i in range(channels)])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for block in blocks(rows, channels, seed):
            writer.write_table(pa.table(list(np.ascontiguousarray(block.T)), schema=schema))


def forget(path: Path) -> None:
    """Drop a file's pages from the system's cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(command: Sequence[str], limit: int | None = None, folder: Path | None = None) -> Run:
    """Run a command in a folder, which also holds its temporary files."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    began = time.time()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | ({"TMPDIR": str(folder)} if folder else {}),
        stdout=subprocess.DEVNULL,
        preexec_fn=restrict,
    )
    peaks = {"VmHWM": 0, "RssAnon": 0}
    while process.poll() is None:
        # A process that is ending reports no memory.
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in peaks:
                peaks[name] = max(peaks[name], int(value.split()[0]) * 1024)
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{command[-1]} ended with status {process.returncode}")
    return Run(peaks["VmHWM"], peaks["RssAnon"], began, time.time())


def training(data: str, output: str, stride: int, options: argparse.Namespace) -> list[str]:
    return [
        *(sys.executable, "-m", "rvae.cli", "fit"),
        *("--data.path", data, "--data.window", str(options.window), "--data.stride", str(stride)),
        *("--data.split", "time", "--training.epochs", "1", "--training.batch_size", str(BATCH)),
        *("--training.workers", str(options.workers), "--training.accelerator", "cpu"),
        *("--output", output),
    ]


def speed(logs: Path, run: Run) -> tuple[float, float]:
    """Seconds until training begins, and windows per second from then on."""
    events = EventAccumulator(str(logs)).Reload()
    steps = events.Scalars("train/loss_step")
    taken = steps[-1].wall_time - steps[0].wall_time
    trained = (steps[-1].step - steps[0].step) * BATCH
    return events.FirstEventTimestamp() - run.began, trained / taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=8.0)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--window", type=int, default=140)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--parquet", action="store_true")
    parser.add_argument("--limit", type=float, help="megabytes, if not a tenth of the folder")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    size = int(options.gigabytes * GB)
    limit = int(options.limit * MB) if options.limit else size // 10
    needed, free = size * (3 if options.parquet else 1), shutil.disk_usage(options.folder).free
    if needed + GB > free:
        sys.exit(f"needs {needed / GB:.0f} GB in {options.folder}, where {free / GB:.0f} are free")
    write, suffix = (write_parquet, "parquet") if options.parquet else (write_npy, "npy")
    rows = size // (FILES * 4 * options.channels)
    few = IN_MEMORY // (FILES * 4 * options.channels)
    # Seven tenths of a series are for training.
    windows = options.steps * BATCH / FILES
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        home = Path(name)
        (home / "data").mkdir()
        for i in range(FILES):
            path = home / "data" / f"{i:02}.{suffix}"
            write(path, rows, options.channels, seed=i)
            forget(path)
        parts = [np.concatenate(list(blocks(few, options.channels, seed=i))) for i in range(FILES)]
        np.save(home / "part.npy", np.stack(parts))
        imports = run(IMPORTS)
        runs, speeds = [], []
        for data, length, allowed in (("data", rows, limit), ("part.npy", few, None)):
            stride = max(1, round(0.7 * length / windows))
            runs.append(run(training(data, f"run {data}", stride, options), allowed, home))
            speeds.append(speed(home / f"run {data}" / "logs", runs[-1]))
    table = Table("", f"{suffix} on disk", "in memory", "imports alone")
    table.add_row("data, MB", f"{size / MB:.0f}", f"{IN_MEMORY / MB:.0f}", "")
    table.add_row("limit, MB", f"{limit / MB:.0f}", "", "")
    for title, name in (("resident", "resident"), ("not of files", "anonymous")):
        peaks = (getattr(one, name) / MB for one in (*runs, imports))
        table.add_row(f"peak of memory, {title}, MB", *(f"{peak:.0f}" for peak in peaks))
    seconds = [until for until, _ in speeds] + [imports.ended - imports.began]
    table.add_row("seconds until training", *(f"{s:.1f}" for s in seconds))
    rates = [rate for _, rate in speeds]
    table.add_row("seconds an epoch", *(f"{options.steps * BATCH / rate:.1f}" for rate in rates))
    table.add_row("windows a second", *(f"{rate:.0f}" for rate in rates))
    Console().print(table)
    print(f"Training on disk runs at {rates[0] / rates[1]:.0%} of the speed in memory.")


if __name__ == "__main__":
    main()
