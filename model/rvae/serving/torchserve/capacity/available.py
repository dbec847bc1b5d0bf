"""What the machine or the container leaves a server: memory, and descriptors of files."""

import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from rvae.errors import require

__all__ = ["available_memory", "parse_memory", "raise_descriptors"]

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
BINARY_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

# Files with a control group's limit on memory, below the folder of each version's hierarchy.
LIMIT_2, LIMIT_1 = "memory.max", "memory.limit_in_bytes"
GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def parse_memory(text: str) -> int:
    """Bytes of a size such as 2GB, 1.5GiB or 800M.

    Raises:
        FieldError: If it is none.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(?:([kmgt]?)(i?)b?)", text.strip().lower())
    valid = found is not None and (found[2] or not found[3])
    require(bool(valid), "memory", f"must be a size such as 2GB or 1536MiB, got {text!r}")
    assert found is not None
    return int(float(found[1]) * (BINARY_UNITS if found[3] else UNITS)[found[2]])


def available_memory(groups: Path = GROUPS, own: Path = OWN_GROUPS) -> int:
    """Bytes that this process and its children may take: the machine's, or less if a limit says so.

    Args:
        groups: Where the hierarchies of control groups are.
        own: The groups of this process.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(groups, own)])


def raise_descriptors() -> int:
    """Let this process and its children open as many files as they may; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _limits(groups: Path, own: Path) -> Iterator[int]:
    """The limits of the process's groups, and of all that they are part of."""
    try:
        lines = own.read_text().splitlines()
    except OSError:  # no control groups
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            roots, name = [groups, groups / "unified"], LIMIT_2
        elif "memory" in controllers.split(","):
            roots, name = [groups / "memory"], LIMIT_1
        else:
            continue
        for root in roots:
            # A container may see its own group as the root, and its path as the machine has it.
            folder = root / path.lstrip("/")
            for one in (folder, *folder.parents):
                if one.is_relative_to(root):
                    yield from _limit(one / name)


def _limit(file: Path) -> Iterator[int]:
    try:
        yield int(file.read_text())
    except (OSError, ValueError):  # no such group here, or "max"
        return
