"""The processes of a server."""

from contextlib import suppress

import psutil

from rvae.serving.torchserve import TorchServe

__all__ = ["resident", "worker_pids"]


def worker_pids(server: TorchServe | psutil.Process) -> set[int]:
    """Of what runs the models."""
    pids = set()
    for child in psutil.Process(server.pid).children(recursive=True):
        with suppress(psutil.Error):  # it may be ending at this moment
            if "model_service_worker.py" in " ".join(child.cmdline()):
                pids.add(child.pid)
    return pids


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return psutil.Process(pid).memory_info().rss / 1e6
