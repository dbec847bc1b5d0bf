"""The processes of a server."""

from contextlib import suppress

import psutil

from rvae.serving.torchserve import Endpoint

__all__ = ["resident", "worker_pids"]


def worker_pids(server: Endpoint | psutil.Process) -> set[int]:
    """Of what runs the models."""
    pids = set()
    parent = server.torchserve if isinstance(server, Endpoint) else server
    for child in psutil.Process(parent.pid).children(recursive=True):
        with suppress(psutil.Error):  # it may be ending at this moment
            if "model_service_worker.py" in " ".join(child.cmdline()):
                pids.add(child.pid)
    return pids


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return psutil.Process(pid).memory_info().rss / 1e6
