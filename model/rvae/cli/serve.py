"""The command `rvae serve`: every archive of a model store, served by TorchServe."""

import json
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

__all__ = ["serve"]


def serve(
    store: Path = Path("model_store"),
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int | None = None,
    logs: Path = Path("logs"),
    timeout: float = 120.0,
    memory: str | None = None,
    trusted: Path | None = None,
) -> int:
    """Serve every archive of a model store with TorchServe until interrupted.

    Args:
        store: Folder with archives.
        host: Address of the predictions; metrics stay on 127.0.0.1.
        port: Port of the predictions; metrics take the next one. 0 takes free ones.
        workers: Processes per model version; if left out one for every four processors, as far as
            there is memory.
        logs: Folder for logs, and for the socket of management, management.sock.
        timeout: Seconds in which a model must become ready.
        memory: Memory that the server may take, such as 2GB; if left out that of the machine or the
            container.
        trusted: File of Ed25519 public keys as PEM: only archives that one of them has signed (rvae
            archive --sign) are served. If left out, all are that are not damaged.
    """
    from rvae.inference.compute import return_freed_memory
    from rvae.serving.integrity import TrustedKeys, require_intact
    from rvae.serving.model_store import list_archives
    from rvae.serving.torchserve import Endpoint
    from rvae.serving.torchserve.capacity import plan_server
    from rvae.serving.torchserve.java import memory_options

    logging.basicConfig(format="%(asctime)s %(message)s")  # what the supervisor has to do
    # Both request an orderly stop. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, _stop)
    keys = None if trusted is None else TrustedKeys.read(trusted)
    archives = list_archives(store)
    for archive in archives:
        integrity = require_intact(archive.path, keys)
        if not integrity.has_sums:
            print(f"{archive.path.name} {integrity.words}")
    planned = plan_server([archive.path for archive in archives], workers, memory)
    print(planned, flush=True)
    return_freed_memory()
    options = memory_options(planned.heap, planned.direct)
    try:
        with Endpoint(
            archives,
            planned.workers,
            logs,
            host,
            port,
            timeout,
            planned.limits,
            options,
            planned.two_fit,
            keys,
        ) as endpoint:
            endpoint.start()
            defaults = {a.name: a for a in reversed(archives)}
            for name, default in defaults.items():
                versions = ", ".join(a.version for a in archives if a.name == name)
                example = logs / f"{name}-example.json"
                example.write_text(json.dumps(endpoint.example(default)))
                print(
                    f"{name} is ready ({versions}; {default.version} by default). Try it:\n\n"
                    f"  curl -X POST {endpoint.url}/predictions/{name}"
                    f" -H 'Content-Type: application/json' -d @{example}\n"
                )
            print(f"Management: curl --unix-socket {logs}/management.sock http://localhost/models")
            print(f"Metrics: {endpoint.metrics}")
            print("Ctrl-C stops the server.", flush=True)
            print(f"The server ends: {endpoint.wait()}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Begin to stop, which takes a bounded time, and is not interrupted by another signal."""
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.SIG_IGN)
    raise KeyboardInterrupt
