"""What processes and containers hold, as the kernel says."""

import os
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from rvae.serving.torchserve import Endpoint
from rvae.serving.torchserve.capacity.usage import memory_use, resident
from rvae.serving.torchserve.registrations import Registration
from tests.support.processes import worker_pids
from tests.support.waiting import wait_for

MACHINE = psutil.virtual_memory().total


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("line", "limit", "used", "files"),
    [
        ("0::/a/b\n", "memory.max", "memory.current", "inactive_file"),
        (
            "4:memory:/a/b\n",
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/total_inactive_file",
        ),
    ],
)
def test_of_a_container_what_the_kernel_cannot_drop_counts(
    tmp_path: Path, line: str, limit: str, used: str, files: str
) -> None:
    own, groups = write(tmp_path / "cgroup", line), tmp_path / "groups"
    write(groups / limit, "50000000\n")
    write(groups / used, "40000000\n")
    stat = (groups / files).with_name("memory.stat")
    write(stat, f"anon 5\n{Path(files).name} 15000000\nactive_file 4\n")
    found = memory_use(groups, own)
    assert (found.used, found.limit) == (25_000_000, 50_000_000)
    stat.unlink()
    assert memory_use(groups, own).limit == MACHINE


def test_the_machine_counts_where_no_container_has_a_limit(tmp_path: Path) -> None:
    own, groups = write(tmp_path / "cgroup", "0::/\n"), tmp_path / "groups"
    for limit in ("max", str(MACHINE + 1)):
        write(groups / "memory.max", limit)
        found = memory_use(groups, own)
        assert found.limit == MACHINE
        assert 0 < found.used < MACHINE


def test_every_process_of_a_server_counts_for_its_part(server: Endpoint) -> None:
    def registrations() -> Sequence[Registration]:
        return server._supervisor.registrations  # known a moment after the start

    wait_for(lambda: bool(registrations()) and all(one.ready for one in registrations()))
    found = resident(server.torchserve.pid, registrations())
    keys = {("worker", one.name, one.version) for one in registrations()}
    assert len(keys) == 2 and set(found) == keys | {("gateway", "", ""), ("java", "", "")}
    workers = sum(psutil.Process(pid).memory_info().rss for pid in worker_pids(server))
    told = sum(size for (part, *_), size in found.items() if part == "worker")
    assert told == pytest.approx(workers, rel=0.05)
    assert found["gateway", "", ""] == pytest.approx(
        psutil.Process(os.getpid()).memory_info().rss, rel=0.05
    )


def test_a_worker_that_is_not_ready_is_of_no_version(server: Endpoint) -> None:
    found = resident(server.torchserve.pid, ())
    assert set(found) == {(part, "", "") for part in ("gateway", "java", "worker")}


def test_before_and_after_java_there_is_the_gateway() -> None:
    ended = psutil.Popen(["true"])
    ended.wait()
    for java in (None, ended.pid):
        assert set(resident(java, ())) == {("gateway", "", "")}
