"""The command `rvae serve`: every archive of a model store, served by TorchServe."""

import json
import signal
import sys
from pathlib import Path

__all__ = ["serve"]


def serve(
    store: Path = Path("model_store"),
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int | None = None,
    logs: Path = Path("logs"),
    timeout: float = 120.0,
) -> int:
    """Serve every archive of a model store with TorchServe until interrupted.

    Args:
        store: Folder with archives.
        host: Address of the predictions; management and metrics stay on 127.0.0.1.
        port: Port of predictions; management and metrics take the next two. 0 takes free ones.
        workers: Processes per model version; one for every four processors if left out.
        logs: Folder for logs.
        timeout: Seconds in which a model must become ready.
    """
    from rvae.inference.compute import serving_processes
    from rvae.serving.model_store import list_archives
    from rvae.serving.torchserve import TorchServe

    # Both request an orderly stop. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.default_int_handler)
    archives = list_archives(store)
    if workers is None:
        workers = serving_processes(len(archives))
    try:
        with TorchServe(archives, workers, logs) as server:
            server.wait_until_ready(timeout)
            server.prepare_next_start()
            defaults = {a.name: a for a in reversed(server.archives)}
            for name, default in defaults.items():
                versions = ", ".join(a.version for a in server.archives if a.name == name)
                example = logs / f"{name}-example.json"
                example.write_text(json.dumps(server.example(default)))
                print(
                    f"{name} is ready ({versions}; {default.version} by default). Try it:\n\n"
                    f"  curl -X POST --unix-socket {server.inference}"
                    f" http://localhost/predictions/{name}"
                    f" -H 'Content-Type: application/json' -d @{example}\n"
                )
            print(f"Management {server.management}, metrics {server.metrics}.")
            print("Ctrl-C stops the server.", flush=True)
            status = server.wait()
            print(f"TorchServe ended by itself with status {status}: see {logs}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
