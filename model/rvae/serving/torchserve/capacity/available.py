"""What the machine or the container leaves a server: memory, and descriptors of files."""

import os
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import require

__all__ = [
    "GROUPS",
    "OWN_GROUPS",
    "LimitedGroup",
    "available_memory",
    "limited_groups",
    "parse_memory",
    "raise_descriptors",
]

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
BINARY_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class _Names:
    """What a version of control groups calls things.

    Attributes:
        limit: File with the limit on memory.
        used: File with what is used.
        files: Of this, in `memory.stat`, files that nobody has read lately: the kernel drops them
            when memory is short.
    """

    limit: str
    used: str
    files: str


VERSION_2 = _Names("memory.max", "memory.current", "inactive_file")
VERSION_1 = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@dataclass(frozen=True)
class LimitedGroup:
    """A control group that limits memory.

    Attributes:
        folder: Its folder.
        names: How its files are called.
        limit: Bytes.
    """

    folder: Path
    names: _Names
    limit: int

    @property
    def used(self) -> int:
        """Bytes that its processes hold, with what they wrote to a tmpfs.

        Raises:
            OSError, ValueError, KeyError: If the kernel does not say.
        """
        stat = (self.folder / "memory.stat").read_text().splitlines()
        dropped = int(dict(line.split() for line in stat)[self.names.files])
        return int((self.folder / self.names.used).read_text()) - dropped


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
    return min([machine, *(one.limit for one in limited_groups(groups, own))])


def limited_groups(groups: Path = GROUPS, own: Path = OWN_GROUPS) -> Iterator[LimitedGroup]:
    """The process's groups that have a limit on memory, and those that they are part of.

    Args:
        groups: Where the hierarchies of control groups are.
        own: The groups of this process.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:  # no control groups
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            roots, names = [groups, groups / "unified"], VERSION_2
        elif "memory" in controllers.split(","):
            roots, names = [groups / "memory"], VERSION_1
        else:
            continue
        for root in roots:
            # A container may see its own group as the root, and its path as the machine has it.
            folder = root / path.lstrip("/")
            for one in (folder, *folder.parents):
                if one.is_relative_to(root):
                    yield from _limited(one, names)


def raise_descriptors() -> int:
    """Let this process and its children open as many files as they may; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _limited(folder: Path, names: _Names) -> Iterator[LimitedGroup]:
    try:
        yield LimitedGroup(folder, names, int((folder / names.limit).read_text()))
    except (OSError, ValueError):  # no such group here, or "max"
        return
