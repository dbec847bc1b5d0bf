"""docker/backup.sh, with folders in place of the volumes of containers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# A compose that mounts what there is, as the real one, and runs scripts on folders of this machine.
COMPOSE = """#!/bin/sh
[ "$1" = run ] || exit 0
cd {docker}
[ -d "{store}" ] && [ -f "{keys}" ] || {{ echo "bind source path does not exist" >&2; exit 1; }}
while [ "$1" != -c ]; do shift; done
exec sh -c "$(echo "$2" | sed 's#/\\(state\\|certificates\\)#{volumes}/\\1#g')"
"""


class Machine:
    """A host with the folder `docker`, a store, keys, and what volumes hold.

    Args:
        folder: An empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.docker, self.volumes = folder / "docker", folder / "volumes"
        self.store, self.keys = folder / "archives", self.docker / "ours" / "keys"
        self.docker.mkdir(parents=True)
        for name in ("backup.sh", "keys.sh", "setting.sh"):
            shutil.copy(ROOT / "docker" / name, self.docker)
        self.settings = f"RVAE_STORE='{self.store}'\nRVAE_KEYS=\"./ours/keys\"\n"
        (self.docker / ".env").write_text(self.settings)
        for name in ("state", "certificates"):
            (self.volumes / name).mkdir(parents=True)
        self._compose = folder / "compose"
        facts = {"docker": self.docker, "volumes": self.volumes}
        self._compose.write_text(COMPOSE.format(store=self.store, keys=self.keys, **facts))
        self._compose.chmod(0o755)

    def run(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A script, as an operator runs it from elsewhere."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RVAE_")}
        return subprocess.run(
            [self.docker / script, *arguments],
            env=kept | {"RVAE_COMPOSE": str(self._compose)},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )

    def content(self) -> dict[str, str]:
        """Of all files that a back-up is of."""
        paths = [*self.volumes.rglob("*.*"), *self.store.iterdir(), self.keys]
        return {path.name: path.read_text() for path in paths}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "one")
    found.store.mkdir()
    found.keys.parent.mkdir()
    (found.store / "rvae-1.0.mar").write_text("an archive")
    (found.volumes / "state" / "newest.cfg").write_text("what is served")
    (found.volumes / "certificates" / "server.key").write_text("a key")
    assert found.run("keys.sh", "add", "alice").returncode == 0
    return found


@pytest.fixture
def saved(machine: Machine, tmp_path: Path) -> Path:
    path = tmp_path / "saved.tar.gz"
    done = machine.run("backup.sh", "save", str(path))
    assert done.returncode == 0, done.stderr
    return path


def test_keys_are_added_to_the_file_that_settings_name(machine: Machine) -> None:
    assert machine.keys.read_text().startswith("alice ")


def test_another_machine_gets_everything(machine: Machine, saved: Path, tmp_path: Path) -> None:
    other = Machine(tmp_path / "two")
    (other.volumes / "state" / "older.cfg").write_text("of before")
    done = other.run("backup.sh", "restore", str(saved))
    assert done.returncode == 0, done.stderr
    assert other.content() == machine.content()
    assert other.keys.stat().st_mode & 0o777 == 0o644  # the proxy reads it
    assert other.store.stat().st_mode & 0o005 == 0o005


def test_a_file_that_is_none_replaces_nothing(machine: Machine, saved: Path) -> None:
    before = machine.content()
    subprocess.run(["tar", "-C", saved.parent, "-czf", saved, "one/docker/keys.sh"], check=True)
    done = machine.run("backup.sh", "restore", str(saved))
    assert done.returncode == 1 and "state.tar is missing" in done.stderr
    saved.write_bytes(b"nothing")
    assert machine.run("backup.sh", "restore", str(saved)).returncode != 0
    assert machine.content() == before


def test_certificates_that_may_not_be_written_keep_nothing_else_back(
    machine: Machine, saved: Path, tmp_path: Path
) -> None:
    other = Machine(tmp_path / "two")
    (other.volumes / "certificates").rmdir()  # nobody may write there, not even root
    done = other.run("backup.sh", "restore", str(saved))
    assert done.returncode == 0 and "stays as it is" in done.stderr
    assert other.content().items() == machine.content().items() - {("server.key", "a key")}
