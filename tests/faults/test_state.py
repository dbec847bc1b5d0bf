"""What was registered, and what comes back: after kill -9, with and without `rvae serve`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from rvae.serving.packaging import build_archive
from rvae.serving.torchserve.state_file import read_state
from tests.support.plain_torchserve import PlainTorchServe, listed, manage
from tests.support.served_process import ServedProcess
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

Serve = Callable[..., AbstractContextManager[ServedProcess]]


@pytest.fixture
def own_store(checkpoint: Path, short_folder: Path) -> Path:
    for version in ("1.0", "2.0"):
        build_archive(checkpoint, "waves", version, short_folder / "store")
    return short_folder / "store"


@pytest.fixture
def serve(own_store: Path, short_folder: Path) -> Serve:
    """Starts `rvae serve` again and again in the same folder of logs."""
    runs = count()

    def start(*options: object, **more: object) -> ServedProcess:
        run = short_folder / f"run-{next(runs)}"
        run.mkdir()
        return ServedProcess(own_store, run, options, logs=short_folder / "logs", **more)  # type: ignore[arg-type]

    return start


def test_the_restart_table(
    serve: Serve, own_store: Path, checkpoint: Path, short_folder: Path
) -> None:
    management = short_folder / "logs" / "management.sock"
    with serve() as first:
        assert listed(management) == {"waves 2.0*: 1", "waves 1.0: 1"}
        manage(management, "PUT", "models/waves/1.0", min_worker=2, max_worker=2)
        manage(management, "PUT", "models/waves/1.0/set-default")
        first.kill()  # within milliseconds of the answer
    with serve() as second:
        assert listed(management) == {"waves 2.0: 1", "waves 1.0*: 2"}
        manage(management, "DELETE", "models/waves/2.0")
        second.kill()
    with serve() as third:
        assert listed(management) == {"waves 1.0*: 2"}
        assert "waves 2.0 was unregistered, and stays so" in third.text()
        manage(management, "POST", "models", url="waves-2.0.mar", initial_workers=1)
        third.process.send_signal(signal.SIGTERM)
        assert third.process.wait(60) == 0
    build_archive(checkpoint, "waves", "10.0", own_store)
    (own_store / "bad.mar").write_bytes((own_store / "waves-2.0.mar").read_bytes()[:5000])
    (own_store / "empty.mar").touch()
    with serve() as fourth:
        assert listed(management) == {"waves 10.0: 1", "waves 2.0: 1", "waves 1.0*: 2"}
        for words in ("bad.mar is not a model archive", "empty.mar is not", "waves 10.0 is new"):
            assert words in fourth.text()
        manage(management, "PUT", "models/waves/2.0", min_worker=0, max_worker=0)
        fourth.kill()
    with serve("--workers", 1):
        assert listed(management) == {"waves 10.0: 1", "waves 2.0: 1", "waves 1.0*: 1"}


def test_java_killed_right_after_a_change_comes_back_with_it(
    serve: Serve, short_folder: Path
) -> None:
    management = short_folder / "logs" / "management.sock"
    with serve() as served:
        for default, other in (("1.0", "2.0"), ("2.0", "1.0")):
            (java,) = served.javas()
            manage(management, "PUT", f"models/waves/{default}/set-default")
            os.kill(java, signal.SIGKILL)
            wait_for(lambda java=java: served.javas() - {java} != set())  # type: ignore[misc]
            wait_for(lambda: manage_or_none(management) is not None)
            assert listed(management) == {f"waves {default}*: 1", f"waves {other}: 1"}


def manage_or_none(management: Path) -> object:
    try:
        return manage(management, "GET", "models")
    except AssertionError:
        return None


def test_plain_torchserve_and_rvae_serve_bring_back_each_others_state(
    serve: Serve, own_store: Path, short_folder: Path
) -> None:
    management = short_folder / "logs" / "management.sock"
    (own_store / "empty.mar").touch()
    command = [sys.executable, "-m", "rvae.cli", "torchserve-config", "--store", str(own_store)]
    done = subprocess.run(command, cwd=short_folder, capture_output=True, text=True)
    assert done.returncode == 0 and "empty.mar is not a model archive" in done.stderr, done.stderr
    with PlainTorchServe(own_store, short_folder) as plain:
        assert listed(management) == {"waves 2.0*: 1", "waves 1.0: 1"}
        manage(management, "PUT", "models/waves/1.0/set-default")
        manage(management, "PUT", "models/waves/2.0", min_worker=2, max_worker=2)
        wait_for(lambda: workers_on_disk(short_folder, own_store) == {"1.0": 1, "2.0": 2})
        plain.kill()
    changed = {"waves 2.0: 2", "waves 1.0*: 1"}
    with PlainTorchServe(own_store, short_folder, "--enable-model-api") as plain:
        assert listed(management) == changed
        plain.stop()
    with serve() as served:
        assert listed(management) == changed
        manage(management, "PUT", "models/waves/2.0/set-default")
        manage(management, "DELETE", "models/waves/1.0")
        served.kill()
    management.unlink(missing_ok=True)
    with PlainTorchServe(own_store, short_folder):
        assert listed(management) == {"waves 2.0*: 2"}


def workers_on_disk(folder: Path, store: Path) -> dict[str, int]:
    state, _ = read_state(folder / "logs" / "config", store)
    return {one.version: one.min_workers for one in state.registrations}


def test_what_cannot_be_written_is_said_and_served_on(
    serve: Serve, own_store: Path, short_folder: Path
) -> None:
    management, state = short_folder / "logs" / "management.sock", short_folder / "state"
    state.write_text("in the way")
    with serve("--state", state) as served:
        manage(management, "PUT", "models/waves/1.0/set-default")
        assert listed(management) == {"waves 2.0: 1", "waves 1.0*: 1"}
        assert f"cannot be written to {state}" in served.text()
        state.unlink()
        wait_for(lambda: state.is_dir() and read_state(state, own_store)[0].registrations != ())
        served.kill()
    with serve("--state", state):
        assert listed(management) == {"waves 2.0: 1", "waves 1.0*: 1"}
