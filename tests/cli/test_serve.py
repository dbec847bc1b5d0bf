"""Errors of the command `rvae serve`; what it serves is tested with TorchServe itself."""

import re
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rvae.serving.private_socket import PrivateSocket
from rvae.serving.torchserve.start import prepare
from rvae.serving.torchserve.state import defaults
from rvae.serving.torchserve.state_file import StateFile
from tests.support.archives import key_pair
from tests.support.command_line import rvae
from tests.support.served_process import ServedProcess


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--memory", "300MB"],
            "memory: 300 MB are too few for 2 workers, with which a server takes",
        ),
        (["--memory", "2GB", "--workers", "9"], "fewer --workers or a larger limit"),
        (["--memory", "plenty"], "memory: must be a size such as 2GB"),
        (["--workers", "0"], "workers: must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(
    store: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    done = rvae("serve", "--store", str(store), *options, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "store: no such folder: model_store"),
        (["--store", "."], "store: no archive"),
    ],
)
def test_a_store_without_archives_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    done = rvae("serve", *options, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr


def test_what_nobody_signed_is_refused_where_keys_are_given(store: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, "release")
    done = rvae("serve", "--store", str(store), "--trusted", str(public), cwd=tmp_path)
    assert done.returncode == 1
    assert "waves-1.10.mar: it is not signed, and has to be by one of" in done.stderr


def test_a_socket_of_a_living_server_is_refused(store: Path, short_folder: Path) -> None:
    with PrivateSocket(short_folder / "a.sock") as taken:
        done = rvae("serve", "--store", store, "--socket", taken.path, cwd=short_folder)
        assert done.returncode == 1
        assert f"socket: another server listens on {taken.path}: end it first" in done.stderr
        assert taken.path.exists()


def test_what_was_changed_before_commands_saw_the_server_is_read(
    store: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollout of the other servers ends just before this one has its socket."""
    state, began = short_folder / "state", []
    prepare(store, state, 1, None).state.save()

    class Late(PrivateSocket):
        def __init__(self, path: Path) -> None:
            other = prepare(store, state, None, None).state
            new, old = other.registrations
            other.update([replace(new, default=False), replace(old, default=True)])
            super().__init__(path)

    class Begins:
        def __init__(self, state: StateFile, *others: object) -> None:
            began.append(defaults(state.registrations))
            raise KeyboardInterrupt

    monkeypatch.setattr("rvae.serving.private_socket.PrivateSocket", Late)
    monkeypatch.setattr("rvae.serving.torchserve.Endpoint", Begins)
    options = ("--store", store, "--state", state, "--socket", short_folder)
    done = rvae("serve", *options, cwd=short_folder)
    assert done.stdout.endswith("Stopped.\n")
    assert began == [{"waves": "1.0"}]
    assert not list(short_folder.glob("*.sock"))


def test_java_gets_the_memory_that_was_planned(store: Path, short_folder: Path) -> None:
    with ServedProcess(store, short_folder, ("--memory", "3GB")) as served:
        (java,) = served.javas()
        options = psutil.Process(java).cmdline()
        said = re.search(r"of 3000 MB at the most: .*heap (\d+), direct (\d+)", served.text())
    assert said is not None
    for option, size in zip(("-Xmx", "-XX:MaxDirectMemorySize="), said.groups(), strict=True):
        (value,) = (one.removeprefix(option) for one in options if one.startswith(option))
        assert abs((int(value.removesuffix("k")) << 10) / 1e6 - int(size)) < 1
