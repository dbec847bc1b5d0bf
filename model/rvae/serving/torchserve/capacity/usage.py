"""What a server takes: each of its processes, and the container around them."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from rvae.serving.torchserve.capacity.available import GROUPS, OWN_GROUPS, limited_groups
from rvae.serving.torchserve.registrations import Registration

__all__ = ["MemoryUse", "memory_use", "resident"]


@dataclass(frozen=True)
class MemoryUse:
    """Memory of the container, or of the machine where no container has a limit.

    Attributes:
        used: Bytes that the kernel cannot drop by itself: processes, and files in a tmpfs.
        limit: Bytes that there are.
    """

    used: int
    limit: int


def memory_use(groups: Path = GROUPS, own: Path = OWN_GROUPS) -> MemoryUse:
    """What is used of the memory that `available_memory` tells of.

    Args:
        groups: Where the hierarchies of control groups are.
        own: The groups of this process.
    """
    machine = psutil.virtual_memory()
    whole = MemoryUse(machine.total - machine.available, machine.total)
    least = min(limited_groups(groups, own), key=lambda one: one.limit, default=None)
    if least is None or least.limit >= machine.total:
        return whole
    try:
        return MemoryUse(least.used, least.limit)
    except (OSError, ValueError, KeyError):  # a kernel that does not tell what is used
        return whole


def resident(
    java: int | None, registrations: Iterable[Registration]
) -> dict[tuple[str, str, str], int]:
    """Bytes in memory of this process, of Java, and of the workers of each version.

    Args:
        java: Process id of TorchServe; None before the first one is ready.
        registrations: What it serves.

    Returns:
        By part (`gateway`, `java`, `worker`), model and version. These are empty for what is of no
        version: also for a worker that is not ready yet.
    """
    found = {("gateway", "", ""): psutil.Process().memory_info().rss}
    if java is None:
        return found
    with suppress(psutil.NoSuchProcess):  # Java has ended
        process = psutil.Process(java)
        found["java", "", ""] = process.memory_info().rss
        versions = {pid: one.key for one in registrations for pid in one.ready}
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                key = ("worker", *versions.get(child.pid, ("", "")))
                found[key] = found.get(key, 0) + child.memory_info().rss
    return found
