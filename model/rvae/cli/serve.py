"""The command `rvae serve`: every archive of a model store, served by TorchServe."""

import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rvae.serving.torchserve import Endpoint
    from rvae.serving.torchserve.registrations import Registration

__all__ = ["serve"]


def serve(
    store: Path = Path("model_store"),
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int | None = None,
    logs: Path = Path("logs"),
    timeout: float = 120.0,
    memory: str | None = None,
    state: Path | None = None,
    trusted: Path | None = None,
    metrics: str = "127.0.0.1",
    socket: Path | None = None,
) -> int:
    """Serve every archive of a model store with TorchServe until interrupted.

    What was registered, unregistered, scaled or made the default while it ran is so again after a
    restart, however it ended.

    Args:
        store: Folder with archives. Those that cannot be read are named, and left out.
        host: Address of the predictions.
        port: Port of the predictions; metrics take the next one. 0 takes free ones.
        workers: Processes per model version; if left out as many as before, and of a new one for
            every four processors one, as far as there is memory.
        logs: Folder for logs.
        timeout: Seconds in which a model must become ready.
        memory: Memory that the server may take, such as 2GB; if left out that of the machine or the
            container.
        state: Folder in which is written what is served; if left out "config" in that of the logs,
            where TorchServe's own command looks for it. Servers that are managed together share it.
        trusted: File of Ed25519 public keys as PEM: only archives that one of them has signed (rvae
            archive --sign) are served. If left out, all are that are not damaged.
        metrics: Address of the metrics; 0.0.0.0 for a Prometheus on another machine.
        socket: Socket of management, or a folder that several servers have theirs in, each by the
            name of its host; LOGS/management.sock if left out.
    """
    from rvae.inference.compute import return_freed_memory
    from rvae.serving.integrity import TrustedKeys
    from rvae.serving.management_sockets import own_socket
    from rvae.serving.private_socket import PrivateSocket
    from rvae.serving.torchserve import Endpoint
    from rvae.serving.torchserve.java import memory_options
    from rvae.serving.torchserve.start import prepare

    logging.basicConfig(format="%(asctime)s %(message)s")  # what the supervisor has to do
    # Both request an orderly stop. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, _stop)
    keys = None if trusted is None else TrustedKeys.read(trusted)
    folder = state or logs / "config"
    start = prepare(store, folder, workers, memory, keys)
    path = own_socket(socket, logs)
    try:
        with PrivateSocket(path) as management:
            # From now on commands see this server; before, one may have changed what is served.
            if start.state.is_overtaken:
                start = prepare(store, folder, workers, memory, keys)
            for note in start.notes:
                print(note, file=sys.stderr)
            planned = start.plan
            print(planned, flush=True)
            return_freed_memory()
            with Endpoint(
                start.state,
                logs,
                host,
                port,
                timeout,
                planned.limits,
                memory_options(planned.heap, planned.direct),
                planned.two_fit,
                keys,
                metrics,
                management,
            ) as endpoint:
                endpoint.start()
                _tell(endpoint, start.new, logs, path)
                print(f"The server ends: {endpoint.wait()}", file=sys.stderr)
                return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 0


def _tell(endpoint: "Endpoint", new: Sequence["Registration"], logs: Path, socket: Path) -> None:
    """Say what is served, and where."""
    for default in (one for one in endpoint.registrations if one.default):
        print(_ready(endpoint, default, logs))
    for one in new:
        print(_new(one, socket))
    print(f"Management: curl --unix-socket {socket} http://localhost/models")
    print(f"Metrics: {endpoint.metrics}")
    print("Ctrl-C stops the server.", flush=True)


def _ready(endpoint: "Endpoint", default: "Registration", logs: Path) -> str:
    """What is served of a model, and how to try it."""
    from rvae.serving.versions.management import Management

    name = default.name
    example = logs / f"{name}-example.json"
    if default.min_workers:
        # Which asks again while a TorchServe that has ended just now is replaced.
        described = Management(endpoint.management).describe(name, default.version)
        example.write_text(json.dumps(described["example"]))
    versions = ", ".join(one.version for one in endpoint.registrations if one.name == name)
    return (
        f"{name} is ready ({versions}; {default.version} by default). Try it:\n\n"
        f"  curl -X POST {endpoint.url}/predictions/{name}"
        f" -H 'Content-Type: application/json' -d @{example}\n"
    )


def _new(one: "Registration", socket: Path) -> str:
    """How to choose a version that was not served before."""
    return (
        f"{one} is new, and not the default. To make it the default:\n\n"
        f"  curl -X PUT --unix-socket {socket}"
        f" http://localhost/models/{one.name}/{one.version}/set-default\n"
    )


def _stop(number: int, frame: FrameType | None) -> None:
    """Begin to stop, which takes a bounded time, and is not interrupted by another signal."""
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.SIG_IGN)
    raise KeyboardInterrupt
