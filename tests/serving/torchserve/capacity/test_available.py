"""What machine, container and user leave a server, read from files as the kernel writes them."""

import os
import resource
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.torchserve.capacity.available import (
    available_memory,
    parse_memory,
    raise_descriptors,
)

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2_000_000_000),
        ("2g", 2_000_000_000),
        ("1.5 GiB", 3 << 29),
        ("800M", 800_000_000),
        ("512MiB", 512 << 20),
        ("123456789", 123_456_789),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "2 apples", "nan", "1e9", "2i", "GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match="memory: must be a size such as 2GB"):
        parse_memory(text)


def test_the_machine_is_the_limit_where_there_is_none(tmp_path: Path) -> None:
    own = write(tmp_path / "cgroup", "4:memory:/\n0::/\n")
    write(tmp_path / "groups/memory/memory.limit_in_bytes", "9223372036854771712\n")
    write(tmp_path / "groups/memory.max", "max\n")
    assert available_memory(tmp_path / "groups", own) == MACHINE
    assert available_memory(tmp_path / "none", tmp_path / "none") == MACHINE


@pytest.mark.parametrize(
    ("line", "folder", "file"),
    [
        ("0::/a/b\n", "", "memory.max"),
        ("9:name=systemd:/a/b\n0::/a/b\n", "unified", "memory.max"),
        ("4:memory:/a/b\n0::/\n", "memory", "memory.limit_in_bytes"),
    ],
)
def test_the_smallest_limit_of_the_groups_around_a_process_counts(
    tmp_path: Path, line: str, folder: str, file: str
) -> None:
    own, groups = write(tmp_path / "cgroup", line), tmp_path / "groups"
    write(groups / folder / "a" / "b" / file, "50000000\n")
    write(groups / folder / "a" / file, "40000000\n")
    write(groups / folder / "another" / file, "1\n")
    write(tmp_path / file, "2\n")  # above the hierarchy
    assert available_memory(groups, own) == 40_000_000


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    own = write(tmp_path / "cgroup", "4:memory:/docker/0123456789\n")
    write(tmp_path / "groups/memory/memory.limit_in_bytes", "30000000\n")
    assert available_memory(tmp_path / "groups", own) == 30_000_000


def test_all_files_that_may_be_opened_are() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        assert raise_descriptors() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
