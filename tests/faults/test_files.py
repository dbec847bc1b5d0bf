"""Folders that disappear, and disks that are full."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.exchanges import ask
from tests.support.outages import honest
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

REPLACED = 15.0  # seconds for a new TorchServe, where there is no other way


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_scratch_folder_is_removed(served: ServedProcess) -> None:
    with honest(served, REPLACED) as client:
        for folder in served.scratch_root.iterdir():
            shutil.rmtree(folder, ignore_errors=True)
        served.kill_worker()
        client.await_answers(100)
        # Whatever was made in its place can start workers.
        served.await_another_worker(served.kill_worker())
    assert ask(served.address, "/ping", method="GET", headers={}).status == 200


def test_store_is_removed(busy_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(busy_store, store)
    with ServedProcess(store, tmp_path) as served, honest(served, REPLACED) as client:
        shutil.rmtree(store)
        client.await_answers(40)
        served.await_another_worker(served.kill_worker())


def test_disk_of_the_logs_is_full(busy_store: Path, tmp_path: Path, small_disk: Path) -> None:
    with (
        ServedProcess(busy_store, tmp_path, logs=small_disk) as served,
        honest(served, REPLACED) as client,
    ):
        with suppress(OSError), (small_disk / "full").open("wb") as file:
            file.write(b"\0" * (2 << 20))
        client.await_answers(100)
        served.await_another_worker(served.kill_worker())
    assert client.failed <= 10


def test_a_server_that_cannot_heal_ends_with_words(busy_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(busy_store, store)
    with ServedProcess(store, tmp_path) as served:
        shutil.rmtree(store)
        for folder in served.scratch_root.iterdir():
            shutil.rmtree(folder, ignore_errors=True)
        served.scratch_root.chmod(0o500)
        served.scratch_root.rmdir()
        served.kill_worker()
        assert served.process.wait(120) == 1
        assert "scratch" in served.text() or "store" in served.text(), served.text()
