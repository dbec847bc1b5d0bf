"""A limit on the memory of several processes together, such as containers have."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

__all__ = ["MemoryGroup", "memory_group"]

# The controller of memory as the kernel's first version of groups has it.
CONTROLLER = Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True)
class MemoryGroup:
    """Processes that share a limit on memory."""

    folder: Path

    @property
    def members(self) -> Path:
        """The file that a process id is written to."""
        return self.folder / "cgroup.procs"

    @property
    def peak(self) -> int:
        """Most bytes that the processes held at once, with files that they had read."""
        return int((self.folder / "memory.max_usage_in_bytes").read_text())

    @property
    def killed(self) -> int:
        """Processes that the kernel has ended because the memory was used up."""
        lines = (self.folder / "memory.oom_control").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])


@contextmanager
def memory_group(limit: int) -> Iterator[MemoryGroup]:
    """A group with a limit in bytes; the test is skipped where none can be made."""
    folder = CONTROLLER / f"rvae-faults-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(limit))
    except OSError as error:
        if folder.exists():
            folder.rmdir()
        pytest.skip(f"no group of processes with a limit on memory can be made: {error}")
    group = MemoryGroup(folder)
    try:
        yield group
    finally:
        wait_for(lambda: not group.members.read_text())
        folder.rmdir()
