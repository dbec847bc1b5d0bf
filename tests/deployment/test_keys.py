"""docker/keys.sh, which writes the file of keys that the proxy reads."""

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.paths import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def run(keys: Path) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "docker" / "keys.sh", *arguments],
            env={**os.environ, "RVAE_KEYS": str(keys)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def names(run: Run) -> list[str]:
    """Of the keys that are listed."""
    return [line.split()[0] for line in run("list").stdout.splitlines()]


def test_a_key_is_printed_once_and_its_hash_is_kept(run: Run, keys: Path) -> None:
    key = run("add", "alice").stdout.strip()
    assert key.startswith("rvae_") and len(key) == len("rvae_") + 43  # 256 bits in base64
    name, hashed, *_ = keys.read_text().split()
    assert (name, hashed) == ("alice", sha256(key.encode()).hexdigest())
    assert key not in keys.read_text()
    assert run("add", "bob").stdout.strip() != key


def test_the_container_may_read_the_file_whatever_the_umask(run: Run, keys: Path) -> None:
    before = os.umask(0o077)
    try:
        run("add", "alice")
    finally:
        os.umask(before)
    assert keys.stat().st_mode & 0o777 == 0o644


def test_what_is_listed_is_names_and_days(run: Run, keys: Path) -> None:
    assert run("list").returncode != 0  # before there is a file
    for name in ("alice", "b.o_b-2"):
        run("add", name)
    assert names(run) == ["alice", "b.o_b-2"]
    assert sha256(b"").hexdigest()[:8] not in run("list").stdout
    assert all(len(line.split()) == 2 for line in run("list").stdout.splitlines())


def test_a_revoked_key_is_gone_and_all_else_stays(run: Run, keys: Path) -> None:
    keys.write_text("# ours\n")
    for name in ("alice", "al", "bob"):
        run("add", name)
    before, file = keys.read_text().splitlines(), keys.stat().st_ino
    assert run("revoke", "al").returncode == 0
    assert keys.read_text().splitlines() == [one for one in before if not one.startswith("al ")]
    assert keys.stat().st_ino == file  # a container has mounted it
    assert list(keys.parent.iterdir()) == [keys]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "alice"], "there is such a key"),
        (["revoke", "bob"], "there is no such key"),
        (["add", "a b"], "letters, digits"),
        (["add", "a\nb"], "letters, digits"),
        (["add", '"; x'], "letters, digits"),
        (["add", "a" * 65], "64"),
        (["add"], "usage"),
        (["add", "a", "b"], "usage"),
        (["check_name", "a"], "usage"),
        ([], "usage"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    run: Run, keys: Path, arguments: list[str], words: str
) -> None:
    run("add", "alice")
    before = keys.read_text()
    done = run(*arguments)
    assert done.returncode != 0 and words in done.stderr and not done.stdout
    assert keys.read_text() == before


def test_keys_that_are_made_at_once_are_all_there(run: Run) -> None:
    run("add", "old")
    wanted = [f"client-{i}" for i in range(20)]
    with ThreadPoolExecutor(8) as pool:
        gone = pool.submit(run, "revoke", "old")
        list(pool.map(lambda name: run("add", name), wanted))
        assert gone.result().returncode == 0
    assert sorted(names(run)) == sorted(wanted)


def test_a_line_without_an_end_is_not_continued(run: Run, keys: Path) -> None:
    keys.write_text(f"alice {'0' * 64}")
    run("add", "bob")
    assert names(run) == ["alice", "bob"]
